import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { parseToken } from '../../src/config/tokens.ts'
import { issueCertificate, type KeyedCertificate } from '../../src/kubernetes/certificates.ts'
import { signDetached } from '../../src/kubernetes/jws.ts'
import { makeKubeconfig } from '../../src/kubernetes/kubeconfig.ts'

export interface ApiServerOptions {
  readonly ca: KeyedCertificate
  /** What signs the serving certificate; default the CA itself. */
  readonly signer?: KeyedCertificate
  readonly names?: { readonly dns?: readonly string[]; readonly ip?: readonly string[] }
  /** Tokens whose signatures cluster-info carries. */
  readonly tokens: readonly string[]
  /** Milliseconds to add to the time in the Date header. */
  readonly clock?: number
  readonly status?: number
  readonly body?: (requests: number) => string
}

/** The part of an API server that discovery speaks to, on loopback, with TLS for real. */
export async function startApiServer(options: ApiServerOptions) {
  const { ca, signer = ca, names = { ip: ['127.0.0.1'] }, tokens } = options
  const serving = await issueCertificate(signer, {
    commonName: 'kube-apiserver',
    names,
    usages: ['server'],
    days: 1,
  })
  const kubeconfig = makeKubeconfig(
    { server: 'https://control-plane:6443', caPem: ca.certificatePem },
    'nobody',
    {},
  )
  const data: Record<string, string> = { kubeconfig }
  for (const text of tokens) {
    const token = parseToken(text)
    if (token) data[`jws-kubeconfig-${token.id}`] = signDetached(kubeconfig, token)
  }
  let requests = 0
  const paths: string[] = []
  const server: Server = createServer(
    { cert: serving.certificatePem, key: serving.keyPem },
    (request, response) => {
      requests++
      paths.push(request.url ?? '')
      response.sendDate = false
      response.setHeader('date', new Date(Date.now() + (options.clock ?? 0)).toUTCString())
      response.statusCode = options.status ?? 200
      response.end(options.body?.(requests) ?? JSON.stringify({ kind: 'ConfigMap', data }))
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    kubeconfig,
    data,
    paths,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
