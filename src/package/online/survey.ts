/** Before the first byte: which servers answer, what each download is, and how large. */

import { EdgeadmError } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { fill, type ImageSource, type ReleaseSource, valuesOf } from '../build/recipe.ts'
import { registryOf } from '../build/sources/registry.ts'
import { RegistryClient } from '../build/sources/registry-client.ts'
import { pinOf } from '../build/sources/release.ts'
import { imageManifest } from '../build/sources/store-image.ts'
import { agentsOf } from '../download/any.ts'
import type { Servers } from '../download/servers.ts'
import { trustSystemAuthorities } from '../download/trust.ts'
import { explain } from '../download/why.ts'
import type { OnlinePlan, OnlineStep } from './plan.ts'

/** How long all servers together have for an answer, in milliseconds. */
const PROBE = 3000

export interface Download {
  readonly component: string
  readonly url: string
  /** Bytes; undefined: the server does not say. */
  readonly size: number | undefined
  /** `sha256:…`; undefined: nothing says what it must be. */
  readonly digest: string | undefined
}

export interface SurveyOptions extends Reporting {
  /** For a component; those without a pin may have others. */
  readonly servers: (step: OnlineStep) => Servers
}

/**
 * @returns what will be downloaded, in order
 * @throws EdgeadmError class `package`: a server that is needed does not answer (within 3 s), or has not what is wanted
 */
export async function survey({ steps, arch }: OnlinePlan, options: SurveyOptions): Promise<Download[]> {
  trustSystemAuthorities()
  const missing = steps.filter(({ cached }) => !cached)
  await probeAll(missing, options)
  const found = await Promise.all(
    missing.map(async (step): Promise<Download[]> => {
      const servers = options.servers(step)
      return step.source.type === 'image'
        ? imageDownloads(step, step.source, servers, { ...options, arch })
        : releaseDownloads(step, step.source as ReleaseSource, servers, { ...options, arch })
    }),
  )
  const byUrl = new Map(found.flat().map((download) => [download.url, download]))
  return [...byUrl.values()]
}

/** URLs of the servers of one component, in the order in which they are asked. */
function serversOf({ source }: OnlineStep, servers: Servers): string[] {
  if (source.type === 'image') return servers.registry(registryOf(source.reference)).map(({ base }) => base)
  const url = (source as ReleaseSource).url.replaceAll(/[{}]/g, '')
  return servers.file(url).map((each) => new URL(each).origin)
}

async function probeAll(steps: readonly OnlineStep[], options: SurveyOptions): Promise<void> {
  const asked = new Map<string, Promise<void>>()
  // Loaded before the clock starts: on a busy machine that takes a while.
  await import('got')
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(PROBE)])
  for (const step of steps) {
    const servers = options.servers(step)
    for (const url of serversOf(step, servers)) {
      const { origin } = new URL(url)
      if (!asked.has(origin)) asked.set(origin, probe(origin, servers, limit, options.signal))
    }
  }
  await Promise.all(asked.values())
  const lost = steps.filter((step) => serversOf(step, options.servers(step)).length === 0)
  const [first] = lost
  if (first === undefined) return
  const silent = options.servers(first).silent()
  throw new EdgeadmError(
    'package',
    `no package was given, and ${lost.length} of ${steps.length} components cannot be downloaded: no server answers`,
    {
      details: [...silent].map(([origin, why]) => `${origin}: ${why}`),
      fix: 'name an offline package with --install-pkg-path, a mirror with --mirror or --registry-mirror, or a proxy with HTTPS_PROXY',
    },
  )
}

/** Any answer counts: what is missing is found out when it is asked for. */
async function probe(
  origin: string,
  servers: Servers,
  limit: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const { default: got } = await import('got')
  const { agents, proxy } = await agentsOf(servers, origin)
  try {
    const { statusCode } = await got.head(origin, {
      signal: limit,
      retry: { limit: 0 },
      throwHttpErrors: false,
      followRedirect: false,
      ...(agents === undefined ? {} : { agent: agents }),
    })
    if (statusCode === 407) throw Object.assign(new Error('407'), { status: 407 })
  } catch (error) {
    signal.throwIfAborted()
    const { why, fix } = explain(error, proxy)
    if (fix !== undefined) throw new EdgeadmError('package', `${origin} cannot be asked: ${why}`, { fix })
    servers.leaveOut(origin, limit.aborted ? `no answer in ${PROBE / 1000} s` : why)
  }
}

type InArch = SurveyOptions & { readonly arch: OnlinePlan['arch'] }

async function releaseDownloads(
  { component, programs }: OnlineStep,
  source: ReleaseSource,
  servers: Servers,
  { arch, signal }: InArch,
): Promise<Download[]> {
  const names = source.member === undefined ? programs : [undefined]
  return Promise.all(
    names.map(async (name) => {
      const values = { ...valuesOf(component, arch), ...(name === undefined ? {} : { name }) }
      const url = servers.file(fill(source.url, values))[0] as string
      const pin = pinOf(source, arch, name)
      return {
        component: component.name,
        url,
        size: await sizeOf(url, servers, signal),
        digest: pin === undefined ? undefined : `sha256:${pin}`,
      }
    }),
  )
}

/** A server that does not take HEAD, or errs for the moment, only leaves the size open. */
async function sizeOf(url: string, servers: Servers, signal: AbortSignal): Promise<number | undefined> {
  const { default: got } = await import('got')
  const { agents } = await agentsOf(servers, url)
  try {
    const { statusCode, headers } = await got.head(url, {
      signal,
      retry: { limit: 0 },
      timeout: { request: 10_000 },
      throwHttpErrors: false,
      ...(agents === undefined ? {} : { agent: agents }),
    })
    const length = Number(headers['content-length'])
    return statusCode === 200 && Number.isSafeInteger(length) && length > 0 ? length : undefined
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

async function imageDownloads(
  { component }: OnlineStep,
  source: ImageSource,
  servers: Servers,
  reporting: InArch,
): Promise<Download[]> {
  const name = fill(source.reference, valuesOf(component, reporting.arch))
  const image = registryOf(name)
  const client = new RegistryClient(image, servers, reporting)
  const top = await client.manifest(source.digest ?? image.reference)
  const manifest = await imageManifest(
    top,
    { document: (digest) => client.manifest(digest) },
    { component, arch: reporting.arch },
  )
  const base = servers.registry(image)[0]?.base
  return [manifest.config, ...manifest.layers].map(({ digest, size }) => ({
    component: component.name,
    url: `${base}/v2/${image.repository}/blobs/${digest}`,
    size,
    digest,
  }))
}
