import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { hostOf } from '../../config/names.ts'
import { NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import type { KeyedCertificate } from '../../kubernetes/certificates.ts'
import { applyManifest, kubectlGet } from '../../kubernetes/kubectl.ts'
import { render } from '../../templates.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { withEdge } from './with-edge.ts'

const CA_DAYS = 3650
const SERVER_DAYS = 1825
/** Milliseconds. A certificate with less left is made anew. */
const RENEW_BEFORE = 60 * 86_400_000

interface Secret {
  readonly metadata: { readonly name: string }
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>
}

/** All names and addresses at which edge nodes and API servers may reach CloudCore. */
export function cloudNames({ settings }: InitContext): { ip: string[]; dns: string[] } {
  const endpoint = settings.controlPlaneEndpoint
  const all = [
    ...settings.edge.cloudAddresses,
    settings.advertiseAddress,
    ...(endpoint === undefined ? [] : [hostOf(endpoint)]),
  ]
  const names = [...new Set(all)]
  return { ip: names.filter((name) => isIP(name) !== 0), dns: names.filter((name) => isIP(name) === 0) }
}

/**
 * CloudCore's CA and certificates, as Secrets before it starts: left to itself it makes a CA that lives a hundred years,
 * and two of them starting at once make two. A CA that is there stays; certificates are renewed when names are missing.
 * Formats and names of the Secrets: KubeEdge, cloud/pkg/cloudhub/servers/httpserver/pre_server.go.
 */
export const edgeCertificates: Phase<InitContext> = {
  name: 'edge/certificates',
  title: "Make CloudCore's certificates",
  runIf: withEdge,
  inputs: cloudNames,
  verify: async () => true,
  run: async (ctx) => {
    const { host, settings } = ctx
    const { certificateDer, issueCertificate, keyDer, makeCa } = await import(
      '../../kubernetes/certificates.ts'
    )
    const existing = settings.dryRun ? new Map() : await secrets(host)
    const names = cloudNames(ctx)
    const old = readCa(existing.get('casecret'))
    const ca = old ?? (await makeCa({ commonName: 'KubeEdge', days: CA_DAYS }))
    const secretFor = (name: string, data: Record<string, Uint8Array>) =>
      render('edge/cloud/secret.yaml', {
        name,
        data: Object.fromEntries(
          Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
        ),
      })
    const made: string[] = []
    if (old === undefined)
      made.push(
        secretFor('casecret', {
          cadata: certificateDer(ca.certificatePem),
          cakeydata: keyDer(ca.keyPem, 'sec1'),
        }),
      )
    if (old === undefined || !covers(existing.get('cloudcoresecret')?.data?.cloudcoredata, names)) {
      const request = { commonName: 'KubeEdge', organizations: ['KubeEdge'], days: SERVER_DAYS, names }
      const server = await issueCertificate(ca, { ...request, usages: ['server'] })
      made.push(
        secretFor('cloudcoresecret', {
          cloudcoredata: certificateDer(server.certificatePem),
          cloudcorekeydata: keyDer(server.keyPem, 'sec1'),
        }),
      )
      const stream = await issueCertificate(ca, {
        ...request,
        commonName: 'cloudstream',
        usages: ['server', 'client'],
      })
      const text = (pem: string) => Buffer.from(pem)
      made.push(
        secretFor('cloudcore', {
          'streamCA.crt': text(ca.certificatePem),
          'stream.crt': text(stream.certificatePem),
          'stream.key': text(stream.keyPem),
        }),
      )
    }
    if (made.length > 0)
      await applyManifest(host, `${made.length} Secrets of CloudCore`, made.join('\n---\n'))
  },
}

async function secrets(host: InitContext['host']): Promise<Map<string, Secret>> {
  const list = await kubectlGet<{ items: Secret[] }>(host, ['secrets'], { namespace: NAMESPACE })
  return new Map((list?.items ?? []).map((secret) => [secret.metadata.name, secret]))
}

/** CloudCore's CA from its Secret, as PEM. */
export function readCa(secret: Secret | undefined): KeyedCertificate | undefined {
  const { cadata, cakeydata } = secret?.data ?? {}
  if (cadata === undefined || cakeydata === undefined) return undefined
  const pem = (label: string, base64: string) =>
    `-----BEGIN ${label}-----\n${base64.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`
  return { certificatePem: pem('CERTIFICATE', cadata), keyPem: pem('EC PRIVATE KEY', cakeydata) }
}

function covers(base64: string | undefined, names: { ip: string[]; dns: string[] }): boolean {
  if (base64 === undefined) return false
  const certificate = new X509Certificate(Buffer.from(base64, 'base64'))
  if (certificate.validToDate.getTime() < Date.now() + RENEW_BEFORE) return false
  return (
    names.ip.every((address) => certificate.checkIP(address) !== undefined) &&
    names.dns.every((name) => certificate.checkHost(name) !== undefined)
  )
}
