import { X509Certificate } from 'node:crypto'
import { bootstrapEdge } from '../../kubeedge/bootstrap.ts'
import { requestCertificate } from '../../kubeedge/cloudcore-client.ts'
import { EDGE_CA, EDGE_CERTIFICATE, EDGE_KEY, SERVICE_ACCOUNT_KEYS } from '../../kubeedge/paths.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

/**
 * The node's certificate. The key is made here and stays here; CloudCore was verified before the token reaches it, and
 * edgecore never sees the token. Names as in KubeEdge, edge/pkg/edgehub/certificate/certmanager.go.
 */
export const edgeCredentials: Phase<JoinContext> = {
  name: 'edge/credentials',
  title: "Get this node's certificate from CloudCore",
  inputs: ({ settings }) => settings.node.name,
  verify: async ({ host, settings }) => {
    const pem = await host.readFile(EDGE_CERTIFICATE)
    if (pem === undefined || (await host.stat(EDGE_KEY)) === undefined) return false
    const { subject, validToDate } = new X509Certificate(pem)
    return subject.includes(`CN=${identity(settings.node.name)}`) && validToDate.getTime() > Date.now()
  },
  run: async ({ host, settings, signal }) => {
    if (settings.dryRun) return
    const { makeCsr } = await import('../../kubernetes/certificates.ts')
    const { cloud, facts, token } = await bootstrapEdge(settings, signal)
    const name = settings.node.name
    const request = await makeCsr({ commonName: identity(name), organizations: ['system:nodes'] })
    const certificate = await requestCertificate(cloud, name, request.requestDer, token, { signal })
    await host.writeFile(EDGE_CA, cloud.caPem, { mode: 0o644 })
    await host.writeFile(EDGE_KEY, request.keyPem, { mode: 0o600, secret: true })
    await host.writeFile(EDGE_CERTIFICATE, certificate, { mode: 0o600 })
    await host.writeFile(SERVICE_ACCOUNT_KEYS, facts.serviceAccountKeys, { mode: 0o644 })
  },
}

const identity = (node: string) => `system:node:${node}`
