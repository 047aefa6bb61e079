import type { Host } from '../../host/host.ts'

/** A container of a Pod on this machine that ended at least once. */
export interface EndedContainer {
  /** Directory of its Pod's logs: `<namespace>_<name>_<uid>`. */
  readonly pod: string
  readonly container: string
  /** How long each run that has ended lasted, in seconds, as far as its log tells. */
  readonly lives: readonly number[]
  /** The last lines of the last run that has ended. */
  readonly words: readonly string[]
}

const LOGS = '/var/log/pods'
const LINES = 3

/** From the logs that the kubelet keeps, whatever runs or does not: /var/log/pods/<pod>/<container>/<restart>.log. */
export async function endedContainers(host: Host): Promise<EndedContainer[]> {
  const found: EndedContainer[] = []
  for (const pod of await host.list(LOGS)) {
    for (const container of await host.list(`${LOGS}/${pod}`)) {
      const ended = await endedRuns(host, `${LOGS}/${pod}/${container}`)
      const texts = await Promise.all(ended.map(async (path) => (await host.readFile(path)) ?? ''))
      const last = texts.at(-1)
      if (last === undefined) continue
      found.push({ pod, container, lives: texts.map(lifeOf), words: wordsOf(last) })
    }
  }
  return found
}

/** All but the newest log, of which the container may still be running; the kubelet keeps few. */
async function endedRuns(host: Host, directory: string): Promise<string[]> {
  const numbers = (await host.list(directory)).flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? [])
  return numbers
    .map(Number)
    .sort((a, b) => a - b)
    .slice(0, -1)
    .map((number) => `${directory}/${number}.log`)
}

/** Lines begin with a time: "2026-01-02T03:04:05.678901234Z stderr F …" (the CRI's log format). */
function lifeOf(log: string): number {
  const times = log.split('\n').flatMap((line) => {
    const time = Date.parse(line.slice(0, line.indexOf(' ')))
    return Number.isNaN(time) ? [] : [time]
  })
  return times.length === 0 ? 0 : ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000
}

function wordsOf(log: string): string[] {
  return log
    .split('\n')
    .map((line) => line.replace(/^\S+ (stdout|stderr) \S /, '').slice(0, 300))
    .filter((line) => line.trim() !== '')
    .slice(-LINES)
}
