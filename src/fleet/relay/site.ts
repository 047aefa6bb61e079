/**
 * One site: its first host is sent the files, and gives them to the others; with many, those that are done give too.
 * Where that fails a host is sent them as if it had no site.
 */

import { EventEmitter, once } from 'node:events'
import pLimit from 'p-limit'
import { messageOf } from '../../output/errors.ts'
import { nodeAddressOf } from '../documents.ts'
import type { KnownHost } from '../plan.ts'
import type { Session } from '../session.ts'
import { isSiteAddress, Relay, type Ticket } from './relay.ts'

export interface SiteOptions {
  readonly session: Session
  readonly signal: AbortSignal
  readonly warn: (text: string) => void
}

export interface SiteDelivery {
  readonly known: KnownHost
  /** Paths, the same on every host: what it is to have, and what of that it lacks. */
  readonly wanted: readonly string[]
  readonly missing: readonly string[]
  /** Sends what it lacks from here. */
  readonly push: () => Promise<void>
  /** Lets it take one file from another host; false: that did not work. */
  readonly fetch: (path: string, ticket: Ticket) => Promise<boolean>
}

interface Holder {
  readonly known: KnownHost
  readonly paths: readonly string[]
}

/** Receivers at once per serving host. */
const CAPACITY = 8

export class Site {
  readonly #options: SiteOptions
  /** Paths that some host of the site has. */
  readonly #seeded = new Set<string>()
  /** Hosts that have files and do not serve yet. */
  readonly #holders: Holder[] = []
  readonly #relays: Relay[] = []
  readonly #changed = new EventEmitter().setMaxListeners(0)
  /** One after the other chooses whom to ask: else each would start a server. */
  readonly #choose = pLimit(1)
  #seeding: Promise<void> | undefined

  constructor(options: SiteOptions) {
    this.#options = options
  }

  async deliver(delivery: SiteDelivery): Promise<void> {
    const { known, wanted, missing, push, fetch } = delivery
    while (this.#seeding !== undefined && missing.length > 0) await this.#seeding
    if (!hasAll(this.#seeded, missing)) await this.#seed(push)
    else if (missing.length > 0 && !(await this.#fetchAll(missing, fetch))) await push()
    for (const path of wanted) this.#seeded.add(path)
    this.#holders.push({ known, paths: wanted })
    this.#changed.emit('change')
  }

  /** Ends all servers of the site. */
  async close(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.stop()))
  }

  /** The others wait. If it fails, the next one is the first. */
  async #seed(push: () => Promise<void>): Promise<void> {
    const pushed = push()
    this.#seeding = pushed.catch(() => {}) // its own host tells of it
    try {
      await pushed
    } finally {
      this.#seeding = undefined
    }
  }

  async #fetchAll(paths: readonly string[], fetch: SiteDelivery['fetch']): Promise<boolean> {
    const relay = await this.#choose(() => this.#relayWith(paths))
    if (relay === undefined) return false
    try {
      for (const path of paths) if (!(await fetch(path, relay.ticket(path)))) return false
      return true
    } finally {
      relay.active -= 1
      this.#changed.emit('change')
    }
  }

  /** One that has room, counted as taken; undefined: none can be had. */
  async #relayWith(paths: readonly string[]): Promise<Relay | undefined> {
    const { signal } = this.#options
    for (;;) {
      signal.throwIfAborted()
      const fitting = this.#relays.filter((relay) => !relay.isOver && hasAll(relay.paths, paths))
      const [least] = fitting.sort((a, b) => a.active - b.active)
      const relay = least !== undefined && least.active < CAPACITY ? least : await this.#startOne(paths)
      if (relay !== undefined) {
        relay.active += 1
        return relay
      }
      if (least === undefined) return undefined
      await once(this.#changed, 'change', { signal })
    }
  }

  /** Lets one more host serve. Each is asked once. */
  async #startOne(paths: readonly string[]): Promise<Relay | undefined> {
    const { session, signal, warn } = this.#options
    for (;;) {
      const index = this.#holders.findIndex((holder) => hasAll(new Set(holder.paths), paths))
      const [holder] = index < 0 ? [] : this.#holders.splice(index, 1)
      if (holder === undefined) return undefined
      const { host, facts } = holder.known
      const address = nodeAddressOf(host, facts)
      // Behind NAT, nobody knows where the others would reach it.
      if (!isSiteAddress(address)) continue
      try {
        const connection = await session.connection(host)
        const { name } = host
        const relay = await Relay.start({ connection, host: name, address, paths: holder.paths, signal })
        this.#relays.push(relay)
        return relay
      } catch (error) {
        signal.throwIfAborted()
        warn(messageOf(error))
      }
    }
  }
}

const hasAll = (has: ReadonlySet<string>, wanted: readonly string[]): boolean =>
  wanted.every((path) => has.has(path))
