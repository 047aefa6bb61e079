/** Whether this command was called over SSH, by which way, and whether that way is still open. */

import { isIP } from 'node:net'
import type { Look } from '../../host/host.ts'
import { closedChains, passes } from '../../network/closed-chains.ts'

export interface SshSession {
  readonly client: string
  readonly clientPort: number
  readonly server: string
  readonly serverPort: number
}

/** As sshd sets it: `client port server port` (ssh(1), ENVIRONMENT). */
function parseConnection(text: string): SshSession | undefined {
  const [client = '', clientPort, server = '', serverPort] = text.trim().split(/\s+/)
  const bare = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '')
  if (isIP(bare(client)) === 0 || isIP(bare(server)) === 0) return undefined
  return {
    client: bare(client),
    clientPort: Number(clientPort),
    server: bare(server),
    serverPort: Number(serverPort),
  }
}

/** sudo keeps the variable from its command, so the processes above are asked as well, as far as their environment can be read. */
export async function sshSession(
  host: Look,
  environment: NodeJS.ProcessEnv = process.env,
  pid: number = process.ppid,
): Promise<SshSession | undefined> {
  const own = parseConnection(environment.SSH_CONNECTION ?? '')
  if (own !== undefined) return own
  for (let parent = pid; parent > 1; ) {
    const variables = ((await readable(host, `/proc/${parent}/environ`)) ?? '').split('\0')
    const found = variables.find((one) => one.startsWith('SSH_CONNECTION='))
    const session = parseConnection(found?.slice('SSH_CONNECTION='.length) ?? '')
    if (session !== undefined) return session
    const status = (await readable(host, `/proc/${parent}/status`)) ?? ''
    parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  }
  return undefined
}

/** Undefined also for a process that ended meanwhile. */
async function readable(host: Look, path: string): Promise<string | undefined> {
  try {
    return await host.readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined
    throw error
  }
}

/** The way from the client as far as it can be seen from here. */
export interface Way {
  /** The interface that has the address which was called. */
  readonly addressOn: string | undefined
  /** By which the answers go. */
  readonly routeOver: string | undefined
  readonly isListening: boolean
  /** Chains that drop what they have no rule for, and have none for this port. */
  readonly closed: readonly string[]
  /** Whether the connection itself is there: not for a command in tmux, whose connection may be an older one. */
  readonly isConnected: boolean
}

export async function lookAtWay(host: Look, session: SshSession): Promise<Way> {
  const { client, server, serverPort } = session
  const [addresses, route, listening, chains, connection] = await Promise.all([
    host.probe('ip', ['-json', 'address', 'show', 'to', server]),
    host.probe('ip', ['-json', 'route', 'get', client]),
    host.probe('ss', ['-Hltn', `sport = :${serverPort}`]),
    closedChains(host),
    connectionOf(host, session),
  ])
  const nameIn = (json: string, key: 'ifname' | 'dev'): string | undefined =>
    (JSON.parse(json || '[]') as Record<string, string | undefined>[]).find(
      (one) => one[key] !== undefined,
    )?.[key]
  const wanted = { protocol: 'tcp', ports: [serverPort, serverPort] } as const
  return {
    addressOn: addresses.exitCode === 0 ? nameIn(addresses.stdout, 'ifname') : undefined,
    routeOver: route.exitCode === 0 ? nameIn(route.stdout, 'dev') : undefined,
    isListening: listening.stdout.trim() !== '',
    closed: chains
      .filter((chain) => chain.hook === 'input' && !passes(chain, wanted))
      .map(({ name }) => name),
    isConnected: connection !== undefined,
  }
}

/** What is worse than it was, in words; undefined if nothing is. */
export function whatIsWorse(before: Way, now: Way, session: SshSession): string | undefined {
  const { server, serverPort, client } = session
  if (before.addressOn !== undefined && now.addressOn !== before.addressOn)
    return `the address ${server} is no longer on ${before.addressOn}`
  if (before.routeOver !== undefined && now.routeOver !== before.routeOver)
    return `there is no longer a way to ${client} over ${before.routeOver}`
  if (before.isListening && !now.isListening) return `nothing listens on port ${serverPort} any more`
  const shut = now.closed.find((name) => !before.closed.includes(name))
  if (shut !== undefined) return `the firewall's chain ${shut} no longer lets port ${serverPort} in`
  if (before.isConnected && !now.isConnected) return `the connection from ${client} is gone`
  return undefined
}

/** Bytes that were sent and not yet acknowledged, and milliseconds since the last acknowledgement; undefined without a connection. */
export interface Connection {
  readonly unacknowledged: boolean
  readonly sinceAck: number
}

export async function connectionOf(host: Look, session: SshSession): Promise<Connection | undefined> {
  const { client, clientPort, server, serverPort } = session
  const bracketed = (address: string): string => (isIP(address) === 6 ? `[${address}]` : address)
  const filter = `src ${bracketed(server)}:${serverPort} and dst ${bracketed(client)}:${clientPort}`
  const { stdout } = await host.probe('ss', ['-Htnoi', 'state', 'established', filter])
  if (stdout.trim() === '') return undefined
  return {
    unacknowledged: /\bunacked:\d+/.test(stdout),
    sinceAck: Number(/\blastack:(\d+)/.exec(stdout)?.[1] ?? 0),
  }
}
