/** Where a file or an image may be had: the mirrors of it that were named, then its publisher. */

import type { RegistryReference } from '../build/sources/registry.ts'
import { ProxyChoice } from './proxy.ts'
import type { Credentials } from './registry-auth.ts'

export interface ServerOptions {
  /** `--mirror`: base URLs that serve the publishers' paths and the registries' /v2/. */
  readonly mirrors?: readonly string[]
  /** `--registry-mirror`: a registry's name -> base URLs that serve its /v2/. */
  readonly registryMirrors?: Readonly<Record<string, readonly string[]>>
  /** Whether the publisher is asked after its mirrors. */
  readonly publishers: boolean
  readonly credentials?: Credentials
  readonly proxy?: ProxyChoice
  /** Servers that do not answer, and why: shared by those of one run. */
  readonly silent?: Map<string, string>
}

export interface RegistryServer {
  /** Without a slash at its end. */
  readonly base: string
  /** Told in `?ns=` which registry it stands for, as containerd does. */
  readonly mirror: boolean
}

/** The servers of one run. What did not answer is left out from then on. */
export class Servers {
  readonly credentials: Credentials | undefined
  readonly proxy: ProxyChoice
  readonly #options: ServerOptions
  readonly #silent: Map<string, string>

  constructor(options: ServerOptions) {
    this.#options = options
    this.credentials = options.credentials
    this.#silent = options.silent ?? new Map()
    this.proxy = options.proxy ?? new ProxyChoice({ environment: {}, direct: [] })
  }

  /** URLs of a publisher's file, in the order in which they are tried. */
  file(url: string): string[] {
    const { mirrors = [], publishers } = this.#options
    const all = mirrors.map((mirror) => mirrored(url, mirror))
    return this.#answering(publishers || all.length === 0 ? [...all, url] : all, (each) => each)
  }

  registry({ registry, origin }: RegistryReference): RegistryServer[] {
    const { mirrors = [], registryMirrors = {}, publishers } = this.#options
    const bases = [...(registryMirrors[registry] ?? []), ...mirrors]
    const all = bases.map((base) => ({ base: base.replace(/\/$/, ''), mirror: true }))
    const own = { base: origin, mirror: false }
    return this.#answering(publishers || all.length === 0 ? [...all, own] : all, ({ base }) => base)
  }

  /** @param why for the error in which all servers are named */
  leaveOut(origin: string, why: string): void {
    this.#silent.set(origin, why)
  }

  /** Servers that do not answer, and why. */
  silent(): ReadonlyMap<string, string> {
    return this.#silent
  }

  #answering<T>(all: readonly T[], urlOf: (server: T) => string): T[] {
    return all.filter((server) => !this.#silent.has(new URL(urlOf(server)).origin))
  }
}

/** The same path on another server, below its base. */
export function mirrored(url: string, mirror: string): string {
  const { pathname, search } = new URL(url)
  return `${mirror.replace(/\/$/, '')}${pathname}${search}`
}
