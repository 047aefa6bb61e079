import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { getCACertificates, type PeerCertificate, type TLSSocket } from 'node:tls'
import { EdgeadmError } from '../output/errors.ts'

export interface ApiRequest {
  /** `https://host:port/path` */
  readonly url: string
  /**
   * PEM to verify the server against, or `system` for this machine's own store. Undefined: any server is talked to (only to
   * learn what is then checked otherwise).
   */
  readonly caPem: string | 'system' | undefined
  readonly signal: AbortSignal
  /** Milliseconds for the whole exchange. */
  readonly timeout: number
  /** Secret. */
  readonly bearerToken?: string
}

export interface ApiResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** cluster-info is a few kilobytes; what is far bigger does not come from an API server. */
const MAXIMUM_BYTES = 4 * 1024 * 1024

/**
 * One GET.
 * @throws EdgeadmError class `discovery`: who was asked and why there is no answer
 */
export function apiGet({ url, caPem, signal, timeout, bearerToken }: ApiRequest): Promise<ApiResponse> {
  const limit = AbortSignal.timeout(timeout)
  return new Promise((resolve, reject) => {
    let peer: PeerCertificate | undefined
    const fail = (cause: unknown) => {
      if (signal.aborted) reject(signal.reason)
      else reject(explain(new URL(url).host, cause, limit.aborted, timeout, peer))
    }
    const outgoing = request(url, {
      agent: false,
      rejectUnauthorized: caPem !== undefined,
      ...(caPem === undefined ? {} : { ca: caPem === 'system' ? getCACertificates('system') : caPem }),
      signal: AbortSignal.any([signal, limit]),
      headers: {
        accept: 'application/json',
        ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
      },
    })
    outgoing.on('socket', (socket) => {
      socket.on('secureConnect', () => {
        peer = (socket as TLSSocket).getPeerCertificate()
      })
    })
    outgoing.on('error', fail)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAXIMUM_BYTES)
          response.destroy(new Error(`the answer has more than ${MAXIMUM_BYTES} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        })
      })
    })
    outgoing.end()
  })
}

function explain(
  host: string,
  cause: unknown,
  timedOut: boolean,
  timeout: number,
  peer: PeerCertificate | undefined,
) {
  const { code = '', message = String(cause) } = (cause ?? {}) as { code?: string; message?: string }
  const error = (text: string, fix: string) => new EdgeadmError('discovery', text, { fix, cause })
  if (timedOut || code === 'ETIMEDOUT')
    return error(
      `The master ${host} did not answer within ${timeout / 1000} s`,
      'Check the address and that no firewall drops the port on the way.',
    )
  switch (code) {
    case 'ECONNREFUSED':
      return error(
        `The master ${host} refused the connection: no API server listens there`,
        'Check the port, and on the master that the kube-apiserver runs.',
      )
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return error(
        `There is no route to the master ${host}`,
        "Check the address and this machine's routes (ip route).",
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return error(
        `The name of the master ${host} cannot be resolved`,
        'Give its IP address, or enter the name in /etc/hosts.',
      )
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return error(
        `The certificate of the API server at ${host} is not for this address: ${message}`,
        'Join with an address that it names, or add this one on the master with --apiserver-cert-extra-sans.',
      )
    case 'CERT_NOT_YET_VALID':
      return error(
        `The certificate of the API server at ${host} is not valid yet (from ${peer?.valid_from ?? 'later'}): this machine's clock is behind`,
        'Set the clock, e.g. with chrony or timedatectl set-ntp true.',
      )
    case 'CERT_HAS_EXPIRED':
      return error(
        `The certificate of the API server at ${host} has expired, or this machine's clock is ahead`,
        'Compare the clocks; on the master kubeadm certs check-expiration shows the dates.',
      )
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'CERT_SIGNATURE_FAILURE':
      return error(
        `The API server at ${host} has a certificate that the cluster's CA did not sign: something else answers there (${code})`,
        'Check the address, and that no proxy or balancer ends TLS on the way.',
      )
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return error(
      `What answers at ${host} does not speak TLS`,
      'Check the port; the API server listens on 6443 by default.',
    )
  return error(
    `The master ${host} cannot be asked: ${message}`,
    'Check the address and that the control plane runs.',
  )
}
