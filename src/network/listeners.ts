import type { Look } from '../host/host.ts'

export interface Listener {
  /** Undefined for another user's, where this command is not root's. */
  readonly program: string | undefined
  readonly pid: number | undefined
}

/** Who listens on which TCP port, from `ss` (iproute2). */
export async function listeners(host: Look): Promise<Map<number, Listener>> {
  return parseListeners((await host.probe('ss', ['-Hltnp'])).stdout)
}

/** @param ss output of `ss -Hltnp` */
export function parseListeners(ss: string): Map<number, Listener> {
  const found = new Map<number, Listener>()
  for (const line of ss.split('\n')) {
    const port = Number(/:(\d+)$/.exec(line.trim().split(/\s+/)[3] ?? '')?.[1])
    if (!Number.isInteger(port)) continue
    const [, program, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(line) ?? []
    found.set(port, { program, pid: pid === undefined ? undefined : Number(pid) })
  }
  return found
}

export function nameOf({ program, pid }: Listener): string {
  return program === undefined ? 'another process' : `${program} (pid ${pid})`
}
