import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { hostOf } from '../../config/names.ts'
import type { Host, Look } from '../../host/host.ts'
import { cloudCertificates, endsSoon, type Secret } from '../../kubeedge/cloud-certificates.ts'
import { CA_CONFIG_MAP, NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import type { KeyedCertificate } from '../../kubernetes/certificates.ts'
import { applyManifest, kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { render } from '../../templates.ts'
import type { InitContext } from '../context.ts'
import { type Phase, type PhaseContext, trustJournal } from '../workflow.ts'
import { startAfresh } from './cloudcore-pods.ts'
import { withEdge } from './with-edge.ts'

const CA_DAYS = 3650
const SERVER_DAYS = 1825

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
  // To renew them takes no package.
  runIf: async (ctx) => {
    const isRenewal = ctx.manifest === undefined && ctx.settings.cloudSide && !ctx.settings.dryRun
    return isRenewal && cloudCertificates(await cloudSecrets(ctx.host)).ca !== undefined
      ? true
      : withEdge(ctx)
  },
  inputs: cloudNames,
  verify: trustJournal,
  run: async (ctx) => {
    const { host, settings } = ctx
    const existing = settings.dryRun ? [] : await cloudSecrets(host)
    const made = await renewCloudCertificates(host, existing, cloudNames(ctx), false)
    if (made === undefined || settings.dryRun) return
    if (made.newCaPem !== undefined) await replacePublished(host, made.newCaPem)
    // A CloudCore that runs has read its certificates and never looks again.
    await startAfresh(ctx)
  },
}

/** `certs renew cloudcore-…`: new ones for the names that the old ones have; CloudCore starts afresh. */
export async function renewCloudCore(
  ctx: Pick<PhaseContext, 'host' | 'signal'>,
  dryRun: boolean,
): Promise<void> {
  const existing = await cloudSecrets(ctx.host)
  // Another CA would lock out all edge nodes that are there.
  if (readCa(existing.find(({ metadata }) => metadata.name === 'casecret')) === undefined)
    throw new EdgeadmError('phase', "CloudCore's CA is gone: there is no whole Secret kubeedge/casecret", {
      fix: '`edgeadm backup list`: a backup holds it, in objects/cloudcore-secrets.json',
    })
  await renewCloudCertificates(ctx.host, existing, { ip: [], dns: [] }, true)
  if (!dryRun) await startAfresh(ctx)
}

/**
 * @param always also where the old ones would do
 * @returns what was made; undefined: nothing
 */
async function renewCloudCertificates(
  host: Host,
  existing: readonly Secret[],
  names: Names,
  always: boolean,
): Promise<{ newCaPem: string | undefined } | undefined> {
  const { certificateDer, issueCertificate, keyDer, makeCa } = await import(
    '../../kubernetes/certificates.ts'
  )
  const have = cloudCertificates(existing)
  const old = readCa(existing.find(({ metadata }) => metadata.name === 'casecret'))
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
  if (always || old === undefined || !covers(have.server, names) || !covers(have.stream, names)) {
    const request = {
      commonName: 'KubeEdge',
      organizations: ['KubeEdge'],
      days: SERVER_DAYS,
      // Edge nodes may use names that this run was not told.
      names: withNames(names, have.server?.subjectAltName),
    }
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
  if (made.length === 0) return undefined
  await applyManifest(host, `${made.length} Secrets of CloudCore`, made.join('\n---\n'))
  return { newCaPem: old === undefined ? ca.certificatePem : undefined }
}

/** Where the CA is published, edge nodes would wait for the old one. The phase edge/cloudcore publishes it first. */
async function replacePublished(host: Host, ca: string): Promise<void> {
  const published = await kubectlGet(host, ['configmap', CA_CONFIG_MAP], { namespace: NAMESPACE })
  if (published !== undefined)
    await applyManifest(host, "CloudCore's CA", render('edge/cloud/ca.yaml', { ca }))
}

export async function cloudSecrets(host: Look): Promise<Secret[]> {
  const list = await kubectlGet<{ items: Secret[] }>(host, ['secrets'], { namespace: NAMESPACE })
  return list?.items ?? []
}

/** CloudCore's CA from its Secret, as PEM. */
export function readCa(secret: Secret | undefined): KeyedCertificate | undefined {
  const { cadata, cakeydata } = secret?.data ?? {}
  if (cadata === undefined || cakeydata === undefined) return undefined
  const pem = (label: string, base64: string) =>
    `-----BEGIN ${label}-----\n${base64.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`
  return { certificatePem: pem('CERTIFICATE', cadata), keyPem: pem('EC PRIVATE KEY', cakeydata) }
}

interface Names {
  readonly ip: readonly string[]
  readonly dns: readonly string[]
}

/** @param alternative as Node.js gives it: `DNS:a.example.org, IP Address:192.0.2.1` */
export function withNames({ ip, dns }: Names, alternative = ''): Names {
  const found = (kind: string) =>
    alternative.split(', ').flatMap((name) => (name.startsWith(kind) ? [name.slice(kind.length)] : []))
  return {
    ip: [...new Set([...ip, ...found('IP Address:')])],
    dns: [...new Set([...dns, ...found('DNS:')])],
  }
}

function covers(certificate: X509Certificate | undefined, names: Names): boolean {
  if (certificate === undefined || endsSoon(certificate)) return false
  return (
    names.ip.every((address) => certificate.checkIP(address) !== undefined) &&
    names.dns.every((name) => certificate.checkHost(name) !== undefined)
  )
}
