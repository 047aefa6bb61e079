import got from 'got'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { carriedAdditions } from './carried-additions.ts'
import type { Component, ImageSource, ReleaseSource, Source, SourceType } from './recipe.ts'
import { goVersion } from './sources/go.ts'
import { registryOf } from './sources/registry.ts'

/** What --source takes. `release` is published programs and images, `go` is everything built here. */
export const SOURCE_CHOICES = ['release', 'go'] as const
export type SourceChoice = (typeof SOURCE_CHOICES)[number]

const FAMILY: Readonly<Record<SourceChoice, readonly SourceType[]>> = {
  release: ['release', 'image'],
  go: ['go', 'cc', 'debian', 'layers'],
}

/** How long all servers together have for an answer, in milliseconds. */
const PROBE = 3000

interface ChooseOptions extends Reporting {
  readonly source?: SourceChoice
  readonly mirror?: string
  readonly archives: Readonly<Record<string, string>>
}

/**
 * Decides once, for the whole build, where each component comes from: a file that the user gave, else the first of its
 * sources whose server answers, a build with edgeadm's additions before all others. Says so in one line.
 */
export async function chooseSources(
  components: readonly Component[],
  options: ChooseOptions,
): Promise<(component: Component) => Source | undefined> {
  const { source: forced, mirror, archives, emit, signal } = options
  for (const name of Object.keys(archives))
    if (!components.some((component) => component.name === name))
      throw new EdgeadmError('usage', `--archive ${name}=…: there is no component ${name}`)
  const allowed = (source: Source, component: Component) =>
    forced === undefined ||
    FAMILY[forced].includes(source.type) ||
    !component.sources.some(({ type }) => FAMILY[forced].includes(type))
  const origins = new Set<string>()
  for (const component of components)
    for (const source of component.sources)
      if (allowed(source, component) && isRemote(source)) origins.add(originOf(source, mirror))
  const silent = forced === 'release' ? new Map<string, string>() : await probe([...origins], signal)
  const go = forced === 'release' ? 'go' : await goVersion(signal).catch(() => undefined)
  emit({ type: 'output', text: explain(forced, [...origins], silent, go) })

  const choose = (component: Component): Source | undefined => {
    const file = archives[component.name]
    if (file !== undefined) return { type: 'archive', file }
    const possible = component.sources.filter((source) => {
      if (!allowed(source, component)) return false
      if (isRemote(source)) return !silent.has(originOf(source, mirror))
      return source.type !== 'go' || go !== undefined
    })
    // What edgeadm adds to upstream's source is in no publisher's program, so its own build goes first there.
    return possible.find((source) => carries(component, source)) ?? possible[0]
  }
  const sourceOf = (name: string) => {
    const part = components.find((component) => component.name === name)
    return part === undefined ? undefined : choose(part)
  }
  const carries = (component: Component, source: Source) =>
    source.type === 'go'
      ? source.additions !== undefined
      : carriedAdditions({ component, source }, sourceOf).length > 0
  return choose
}

function isRemote(source: Source): source is ReleaseSource | ImageSource {
  return source.type === 'release' || source.type === 'image'
}

function originOf(source: ReleaseSource | ImageSource, mirror: string | undefined): string {
  if (mirror !== undefined) return new URL(mirror).origin
  return source.type === 'image'
    ? registryOf(source.reference).origin
    : new URL(source.url.replaceAll(/[{}]/g, '')).origin
}

/** The servers that do not answer in time, and why. Any answer counts: what is missing is found out when it is asked for. */
async function probe(origins: readonly string[], signal: AbortSignal): Promise<Map<string, string>> {
  const silent = new Map<string, string>()
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE)])
  await Promise.all(
    origins.map(async (origin) => {
      try {
        await got.head(origin, {
          signal: limit,
          retry: { limit: 0 },
          throwHttpErrors: false,
          followRedirect: false,
        })
      } catch (error) {
        signal.throwIfAborted()
        const code = (error as { code?: string }).code
        silent.set(origin, limit.aborted ? `no answer in ${PROBE / 1000} s` : (code ?? messageOf(error)))
      }
    }),
  )
  return silent
}

function explain(
  forced: SourceChoice | undefined,
  origins: readonly string[],
  silent: ReadonlyMap<string, string>,
  go: string | undefined,
): string {
  if (forced === 'release') return `Sources: published releases and images (--source release)`
  const local = go === undefined ? 'without Go, only what needs no compiling' : `built here with ${go}`
  if (forced === 'go') return `Sources: ${local} (--source go)`
  const answering = origins.filter((origin) => !silent.has(origin)).map((origin) => new URL(origin).host)
  const reasons = [...silent].map(([origin, reason]) => `${new URL(origin).host}: ${reason}`).join(', ')
  if (origins.length === 0) return `Sources: ${local}`
  if (silent.size === 0) return `Sources: published releases and images from ${answering.join(', ')}`
  if (answering.length === 0) return `Sources: ${local}; no publisher answers (${reasons})`
  return `Sources: ${answering.join(', ')} where they have it, else ${local} (${reasons})`
}
