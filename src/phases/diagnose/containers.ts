import type { Look } from '../../host/host.ts'

/** A container of a Pod on this machine that was started more than once. */
export interface RestartedContainer {
  /** Directory of its Pod's logs: `<namespace>_<name>_<uid>`. */
  readonly pod: string
  readonly container: string
  readonly restarts: number
  /** The run that was started last, which may still go on. */
  readonly latest: LoggedRun
  /** The one before, if the kubelet still keeps its log. */
  readonly previous: LoggedRun | undefined
}

export interface LoggedRun {
  /** When it said its last line; milliseconds since the epoch, 0 if it said nothing. */
  readonly lastAt: number
  /** Seconds from its first line to its last. */
  readonly seconds: number
  /** Its last lines. */
  readonly words: readonly string[]
}

const LOGS = '/var/log/pods'
const LINES = 3

/** From the logs that the kubelet keeps, whatever runs or does not: /var/log/pods/<pod>/<container>/<restart>.log. */
export async function restartedContainers(host: Look): Promise<RestartedContainer[]> {
  const found: RestartedContainer[] = []
  for (const pod of await host.list(LOGS)) {
    for (const container of await host.list(`${LOGS}/${pod}`)) {
      const directory = `${LOGS}/${pod}/${container}`
      const numbers = (await host.list(directory)).flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? [])
      const restarts = Math.max(0, ...numbers.map(Number))
      const latest = restarts === 0 ? undefined : await readRun(host, `${directory}/${restarts}.log`)
      if (latest === undefined) continue
      const previous = await readRun(host, `${directory}/${restarts - 1}.log`)
      found.push({ pod, container, restarts, latest, previous })
    }
  }
  return found
}

async function readRun(host: Look, path: string): Promise<LoggedRun | undefined> {
  const log = await host.readFile(path)
  if (log === undefined) return undefined
  const times = timesOf(log)
  const lastAt = times.at(-1) ?? 0
  return { lastAt, seconds: (lastAt - (times[0] ?? 0)) / 1000, words: wordsOf(log) }
}

/** Lines begin with a time: "2026-01-02T03:04:05.678901234Z stderr F …" (the CRI's log format). */
function timesOf(log: string): number[] {
  return log.split('\n').flatMap((line) => {
    const time = Date.parse(line.slice(0, line.indexOf(' ')))
    return Number.isNaN(time) ? [] : [time]
  })
}

function wordsOf(log: string): string[] {
  return log
    .split('\n')
    .map((line) => line.replace(/^\S+ (stdout|stderr) \S /, '').slice(0, 300))
    .filter((line) => line.trim() !== '')
    .slice(-LINES)
}
