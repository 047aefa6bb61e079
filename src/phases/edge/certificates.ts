import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { hostOf } from '../../config/names.ts'
import { cloudCertificates, endsSoon, type Secret } from '../../kubeedge/cloud-certificates.ts'
import { NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import type { KeyedCertificate } from '../../kubernetes/certificates.ts'
import { applyManifest, awaitRollout, changeCluster, kubectlGet } from '../../kubernetes/kubectl.ts'
import { render } from '../../templates.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { podLogs } from './pod-logs.ts'
import { withEdge } from './with-edge.ts'

const CA_DAYS = 3650
const SERVER_DAYS = 1825
/** Milliseconds. CloudCore itself waits up to 9 s at random before it begins. */
const LIMIT = 180_000

interface Workload {
  readonly kind: string
  readonly metadata: { readonly name: string }
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
  // To renew them takes no package.
  runIf: async (ctx) => {
    const isRenewal = ctx.manifest === undefined && ctx.settings.enableEdge && !ctx.settings.dryRun
    return isRenewal && cloudCertificates(await secrets(ctx.host)).ca !== undefined ? true : withEdge(ctx)
  },
  inputs: cloudNames,
  verify: async () => true,
  run: async (ctx) => {
    const { host, settings } = ctx
    const { certificateDer, issueCertificate, keyDer, makeCa } = await import(
      '../../kubernetes/certificates.ts'
    )
    const existing = settings.dryRun ? [] : await secrets(host)
    const have = cloudCertificates(existing)
    const names = cloudNames(ctx)
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
    if (old === undefined || !covers(have.server, names) || !covers(have.stream, names)) {
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
    if (made.length === 0) return
    await applyManifest(host, `${made.length} Secrets of CloudCore`, made.join('\n---\n'))
    if (!settings.dryRun) await startAfresh(host)
  },
}

async function secrets(host: InitContext['host']): Promise<Secret[]> {
  const list = await kubectlGet<{ items: Secret[] }>(host, ['secrets'], { namespace: NAMESPACE })
  return list?.items ?? []
}

/** A CloudCore that runs has read its certificates and never looks again. */
async function startAfresh(host: InitContext['host']): Promise<void> {
  const selector = ['deployments,daemonsets', '-l', 'kubeedge=cloudcore']
  const options = { namespace: NAMESPACE }
  const list = await kubectlGet<{ items: Workload[] }>(host, selector, options)
  for (const { kind, metadata } of list?.items ?? []) {
    const object = `${kind.toLowerCase()}/${metadata.name}`
    await changeCluster(host, 'start CloudCore afresh', ['rollout', 'restart', object], options)
    const diagnose = () => podLogs(host, NAMESPACE)
    await awaitRollout(host, object, { ...options, timeout: LIMIT, diagnose })
  }
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
