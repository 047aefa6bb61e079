/**
 * The proxy that downloads go through. Only downloads do: an API server or a kubelet that inherits a proxy sends its own
 * cluster's traffic there, which breaks webhooks, probes and the Pod network.
 */

import type { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { EdgeadmError } from '../../output/errors.ts'

export interface Agents {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

export interface ProxyOptions {
  /** `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` in either case; upper case wins, as in Go's programs. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Names, domains (`.svc`), addresses and networks (CIDR) that are reached directly, beside those in `NO_PROXY`. */
  readonly direct: readonly string[]
}

/** What is reached directly always: this machine, and the networks that it is in. */
export function attachedNetworks(): string[] {
  const attached = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ cidr }) => (cidr === null ? [] : [cidr])),
  )
  return ['localhost', '127.0.0.0/8', '::1', ...attached]
}

/** Chooses the way to each URL. */
export class ProxyChoice {
  readonly #environment: ProxyOptions['environment']
  readonly #direct: readonly string[]
  readonly #agents = new Map<string, Promise<Agents>>()

  constructor({ environment, direct }: ProxyOptions) {
    this.#environment = environment
    this.#direct = [...direct, ...words(this.#variable('no_proxy'))]
  }

  /** @returns the proxy's URL, undefined where it is reached directly. @throws EdgeadmError class `usage`: it is no URL */
  for(url: string): URL | undefined {
    const { protocol, hostname, port } = new URL(url)
    const name = protocol === 'https:' ? 'https_proxy' : 'http_proxy'
    const text = this.#variable(name) ?? this.#variable('all_proxy')
    if (text === undefined || isDirect(hostname.replace(/^\[|\]$/g, ''), port, this.#direct)) return undefined
    const full = text.includes('://') ? text : `http://${text}`
    if (URL.canParse(full) && /^https?:$/.test(new URL(full).protocol)) return new URL(full)
    throw new EdgeadmError('usage', `${name.toUpperCase()} is not the http URL of a proxy`, {
      fix: `set it as in ${name.toUpperCase()}=http://proxy.example.org:3128, or unset it`,
    })
  }

  /** For got's option `agent`; undefined: no proxy. */
  async agents(url: string): Promise<Agents | undefined> {
    const proxy = this.for(url)
    if (proxy === undefined) return undefined
    const made = this.#agents.get(proxy.href) ?? agentsFor(proxy)
    this.#agents.set(proxy.href, made)
    return made
  }

  #variable(name: string): string | undefined {
    return this.#environment[name.toUpperCase()] || this.#environment[name] || undefined
  }
}

/** Without its user and password. */
export function shownProxy({ protocol, host }: URL): string {
  return `${protocol}//${host}`
}

async function agentsFor(proxy: URL): Promise<Agents> {
  const { HttpProxyAgent } = await import('http-proxy-agent')
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  return {
    http: new HttpProxyAgent(proxy) as unknown as HttpAgent,
    https: new HttpsProxyAgent(proxy) as unknown as HttpsAgent,
  }
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/[\s,]+/).filter((word) => word !== '')
}

/** `*`, a name, a domain with or without its dot, an address, a network; each with `:PORT` or without. */
function isDirect(host: string, port: string, entries: readonly string[]): boolean {
  return entries.some((entry) => {
    if (entry === '*') return true
    const [network = '', length] = entry.split('/')
    if (isIP(network) !== 0) {
      if (isIP(host) === 0) return false
      const list = new BlockList()
      const family = isIP(network) === 6 ? 'ipv6' : 'ipv4'
      if (length === undefined) list.addAddress(network, family)
      else list.addSubnet(network, Number(length), family)
      return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
    }
    const match = /^(?:\*?\.)?([^:]+)(?::(\d+))?$/.exec(entry.toLowerCase())
    if (match === null || (match[2] !== undefined && match[2] !== port)) return false
    return host === match[1] || host.endsWith(`.${match[1]}`)
  })
}
