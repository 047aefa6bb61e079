import { EdgeadmError, messageOf } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { type FetchOptions, fetchPackage } from '../fetch.ts'
import { shownProxy } from './proxy.ts'
import type { Servers } from './servers.ts'

/** Attempts at one server while there is another one to go to. */
const RETRIES = 1

/**
 * Does something at the first server that can: one that refuses, breaks off or gives other bytes is said, and the next is asked.
 * @param what for the error: "kubeadm v1.33.13"
 * @throws EdgeadmError class `package`, with what each server said
 */
export async function atAny<S, T>(
  what: string,
  servers: readonly S[],
  urlOf: (server: S) => string,
  all: Servers,
  { emit, signal }: Reporting,
  attempt: (server: S, isLast: boolean) => Promise<T>,
): Promise<T> {
  const said: string[] = []
  for (const [index, server] of servers.entries()) {
    try {
      return await attempt(server, index === servers.length - 1)
    } catch (error) {
      signal.throwIfAborted()
      // A full disk or a wrong key is no server's fault.
      if (error instanceof EdgeadmError && error.class !== 'package') throw error
      if (!(error instanceof EdgeadmError) && (error as NodeJS.ErrnoException).syscall !== undefined)
        throw error
      if (servers.length === 1 && all.silent().size === 0) throw error
      said.push(messageOf(error))
      if (index < servers.length - 1)
        emit({
          type: 'warning',
          text: `${messageOf(error)}; asking ${new URL(urlOf(servers[index + 1] as S)).host} now`,
        })
    }
  }
  for (const [origin, why] of all.silent()) said.push(`${origin}: ${why}`)
  throw new EdgeadmError('package', `${what} cannot be downloaded from any of its servers`, {
    details: said,
    fix: 'name a mirror that has it (--mirror, --registry-mirror), or use an offline package',
  })
}

export interface DownloadOptions extends Omit<FetchOptions, 'agents'> {
  readonly servers: Servers
  readonly what: string
}

/** Downloads a publisher's file from the first server that has it, whole and right. */
export async function downloadFromAny(url: string, dest: string, options: DownloadOptions): Promise<void> {
  const { servers, what, ...rest } = options
  await atAny(
    what,
    servers.file(url),
    (each) => each,
    servers,
    options,
    async (each, isLast) =>
      fetchPackage(each, dest, {
        ...rest,
        ...(isLast ? {} : { retries: RETRIES }),
        ...(await agentsOf(servers, each)),
      }),
  )
}

/** For `fetchPackage`: the way to an URL. */
export async function agentsOf(
  servers: Servers,
  url: string,
): Promise<Pick<FetchOptions, 'agents' | 'proxy'>> {
  const agents = await servers.proxy.agents(url)
  const proxy = servers.proxy.for(url)
  return agents === undefined || proxy === undefined ? {} : { agents, proxy: shownProxy(proxy) }
}
