import { EdgeadmError } from '../../output/errors.ts'
import { sha256Of } from '../fetch.ts'
import type { Architecture } from '../manifest.ts'
import { digestOf } from './additions.ts'
import { hostDistribution } from './apt-sources.ts'
import { cacheKey } from './cache.ts'
import type { Step } from './plan.ts'
import type { Source } from './recipe.ts'
import { goVersion } from './sources/go.ts'

/** A key for each step: its recipe, its tools, and the keys of what it is made of. */
export async function cacheKeys(
  steps: readonly Step[],
  { arch, mirror, signal }: { arch: Architecture; mirror?: string; signal: AbortSignal },
): Promise<Map<string, string>> {
  const keys = new Map<string, string>()
  const uses = (type: string) => steps.some(({ source }) => source.type === type)
  const go = uses('go') ? await goVersion(signal) : undefined
  const distribution = uses('debian') ? await hostDistribution() : undefined
  for (const { component, source, programs, parts } of steps) {
    const tools =
      source.type === 'go'
        ? go
        : source.type === 'debian'
          ? [distribution?.codename, 'copyright files']
          : undefined
    const content = source.type === 'archive' ? await sha256Of(source.file) : undefined
    const key = cacheKey(component.name, {
      version: component.version,
      source: source.type === 'archive' ? source.type : keyed(source),
      programs,
      arch,
      tools,
      content,
      // What a mirror gives is verified, but not always against a pin.
      mirror: source.type === 'release' || source.type === 'image' ? mirror : undefined,
      parts: parts.map((name) => keys.get(name)),
    })
    if (keys.has(component.name)) throw new EdgeadmError('internal', `${component.name} is planned twice`)
    keys.set(component.name, key)
  }
  return keys
}

/** A source as the key has it. Of additions, only what gets into the programs. */
function keyed(source: Source): unknown {
  if (source.type !== 'go' || source.additions === undefined) return source
  return { ...source, additions: digestOf(source.additions) }
}
