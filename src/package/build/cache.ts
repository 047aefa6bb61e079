import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileLock, waitForLock } from '../../host/flock.ts'
import type { Reporting } from '../../output/events.ts'
import { cacheDirectory } from '../paths.ts'
import { asWriteError } from '../write-error.ts'
import type { ComponentRecord, MadeComponent } from './record.ts'

const RECORD = 'record.json'

/** Changes whenever what is kept in the cache changes its meaning. */
const FORMAT = 2

/** A key for the cache: whatever a component's bytes depend on, hashed. Order of fields does not matter. */
export function cacheKey(name: string, inputs: unknown): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([FORMAT, canonical(inputs)]))
    .digest('hex')
  return `${name}-${hash.slice(0, 24)}`
}

/** The component if it is in the cache. */
export async function lookUp(key: string, root = componentsDirectory()): Promise<MadeComponent | undefined> {
  const folder = join(root, key)
  try {
    return { folder, record: JSON.parse(await readFile(join(folder, RECORD), 'utf8')) as ComponentRecord }
  } catch (error) {
    // What cannot be kept there is found out when it is made.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/**
 * The component from the cache, or made now. Of two builds at once one makes it and the other waits; what a killed
 * build left is removed by the next one that wants the same. A folder in the cache is always complete: it is made under
 * another name and renamed.
 */
export async function lookUpOrMake(
  key: string,
  make: (folder: string) => Promise<ComponentRecord>,
  reporting: Reporting,
  root = componentsDirectory(),
): Promise<MadeComponent> {
  const found = await lookUp(key, root)
  if (found !== undefined) return found
  await mkdir(root, { recursive: true })
  const lock = await acquire(root, key, reporting)
  try {
    const meanwhile = await lookUp(key, root)
    if (meanwhile !== undefined) return meanwhile
    await removeLeftOvers(root, key)
    const temporary = join(root, `.making-${key}-${process.pid}`)
    await mkdir(temporary)
    try {
      const record = await make(temporary)
      await writeFile(join(temporary, RECORD), `${JSON.stringify(record, null, 1)}\n`)
      await rename(temporary, join(root, key)).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
        await rm(temporary, { recursive: true })
      })
      return { folder: join(root, key), record: (await lookUp(key, root))?.record ?? record }
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      throw asWriteError(error, `${key} cannot be made`, root)
    }
  } finally {
    await lock.release()
  }
}

/** Removes what killed builds left: what is called like ours (we hold its lock), and what no living process makes. */
async function removeLeftOvers(root: string, key: string): Promise<void> {
  for (const name of await readdir(root)) {
    const match = /^\.making-(.+)-(\d+)$/.exec(name)
    if (match === null || (match[1] !== key && isAlive(Number(match[2])))) continue
    await rm(join(root, name), { recursive: true, force: true })
  }
}

/** Whether a process of that number runs on this machine. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** @param cache default: this user's own */
export function componentsDirectory(cache = cacheDirectory()): string {
  return join(cache, 'components')
}

/** Where downloads lie until they are whole. */
export function downloadsDirectory(cache = cacheDirectory()): string {
  return join(cache, 'downloads')
}

function acquire(root: string, key: string, { emit, signal }: Reporting): Promise<FileLock> {
  return waitForLock(join(root, `.lock-file-${key}`), signal, () =>
    emit({ type: 'output', text: `Another build is making ${key}: waiting for it` }),
  )
}

/** The same value with the keys of all objects sorted. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, canonical(inner)]))
}
