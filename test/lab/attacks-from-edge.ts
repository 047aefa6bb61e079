/** What somebody with root on an edge node asks of the cloud side, with what lies on that machine. Answers are short texts. */

import { Buffer } from 'node:buffer'
import { EDGE_CA, EDGE_CERTIFICATE, EDGE_KEY } from '../../src/kubeedge/paths.ts'
import { MASTER } from './edge-lab.ts'
import type { TestLab } from './machines.ts'

export interface CertificateAttack {
  /** `/O=…/CN=…` */
  readonly subject: string
  /** The header NodeName. */
  readonly node: string
  readonly headers?: readonly string[]
  /** `DNS:…,IP:…` */
  readonly names?: string
  /** For `openssl req -newkey`; default: EC, P-256. */
  readonly key?: readonly string[]
  /** In place of the node's certificate. Secret. */
  readonly token?: string
  /** Folder with server.crt and server.key; default: the node's own. */
  readonly certificates?: string
}

const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
/** Seconds that a connection has to stand to count as accepted. */
const STANDS = 6

export function attacksFrom(lab: TestLab, machine: string) {
  const shell = async (script: string, words: readonly string[] = []) => {
    const { stdout, stderr } = await lab.probe(machine, ['sh', '-c', script, 'sh', ...words])
    return `${stdout} ${stderr}`.trim()
  }
  const curl = (certificates?: string) => [
    ...['curl', '-sS', '--cacert', EDGE_CA],
    ...['--cert', certificates === undefined ? EDGE_CERTIFICATE : `${certificates}/server.crt`],
    ...['--key', certificates === undefined ? EDGE_KEY : `${certificates}/server.key`],
  ]
  return {
    /** HTTP status and the answer, or status 200 and the certificate that was signed. */
    certificate: async (attack: CertificateAttack): Promise<string> => {
      const request = ['openssl', 'req', '-new', '-newkey', ...(attack.key ?? EC), '-nodes']
      const names = attack.names === undefined ? [] : ['-addext', `subjectAltName=${attack.names}`]
      const files = ['-keyout', '/root/attack.key', '-outform', 'DER', '-out', '/root/attack.csr']
      await lab.run(machine, [...request, '-subj', attack.subject, ...names, ...files])
      const headers = [`NodeName: ${attack.node}`, ...(attack.headers ?? [])]
      const bearer = attack.token === undefined ? [] : [`Authorization: Bearer ${attack.token}`]
      const client =
        attack.token === undefined ? curl(attack.certificates) : ['curl', '-sS', '--cacert', EDGE_CA]
      const status = await lab.run(machine, [
        ...[...client, '--http1.1', '-X', 'GET', '--data-binary', '@/root/attack.csr'],
        ...[...headers, ...bearer].flatMap((header) => ['-H', header]),
        ...['-o', '/root/attack.out', '-w', '%{http_code}', `https://${MASTER}:10002/edge.crt`],
      ])
      const show =
        status === '200'
          ? 'openssl x509 -inform der -in /root/attack.out -noout -subject -ext subjectAltName,extendedKeyUsage 2>/dev/null'
          : 'cat /root/attack.out'
      return `${status} ${await shell(show)}`
    },
    /** Opens a WebSocket of the hub (10000) or the tunnel (10004); "stands", or the HTTP status and how it ended. */
    webSocket: (url: string, headers: readonly string[], certificates?: string): Promise<string> => {
      const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
      const all = [...upgrade, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', ...headers]
      const words = [...curl(certificates), '--http1.1', '--max-time', String(STANDS), '-o', '/dev/null']
      return shell('"$@"; [ $? != 28 ] || echo stands', [
        ...words,
        ...all.flatMap((header) => ['-H', header]),
        ...['-w', '%{http_code} ', url],
      ])
    },
    /** GET with the node's certificate; the HTTP status. */
    curlOf: (url: string): Promise<string> =>
      shell('"$@"', [...curl(), '-o', '/dev/null', '-w', '%{http_code}', url]),
    /** GET of an API server with a token; the HTTP status. */
    api: async (url: string, token: string): Promise<string> => {
      const words = ['curl', '-sk', '-H', '@-', '-o', '/dev/null', '-w', '%{http_code}', url]
      return (await lab.probe(machine, words, { input: `Authorization: Bearer ${token}` })).stdout
    },
    /** POST without a certificate; the HTTP status. */
    post: (path: string, body: object): Promise<string> =>
      shell('"$@"', [
        ...['curl', '-sS', '--http1.1', '--cacert', EDGE_CA, '-H', 'Content-Type: application/json'],
        ...['-d', JSON.stringify(body), '-o', '/dev/null', '-w', '%{http_code}'],
        `https://${MASTER}:10002${path}`,
      ]),
  }
}

/** A CertificateSigningRequest for `kubectl create -f -`, with the requester's own name in the certificate. */
export async function servingRequest(lab: TestLab, name: string, node: string, names: string) {
  const words = ['openssl', 'req', '-new', '-newkey', ...EC, '-nodes', '-keyout', '/dev/null']
  const subject = ['-subj', `/O=system:nodes/CN=system:node:${node}`, '-addext', `subjectAltName=${names}`]
  const { stdout } = await lab.probe('master-1', [...words, ...subject])
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(stdout).toString('base64'),
      signerName: 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', 'server auth'],
    },
  }
}
