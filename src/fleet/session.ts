/** The hosts of an inventory while a command works on them: a connection each, and what they said of themselves. */

import { EdgeadmError, messageOf } from '../output/errors.ts'
import { gatherHostFacts, type HostFacts } from './facts.ts'
import type { FleetHost } from './inventory.ts'
import { Transport, type TransportOptions } from './ssh/connect.ts'
import type { Connection, Elevation } from './ssh/connection.ts'
import { ConnectionLost, Unreachable } from './ssh/errors.ts'

export type Contact =
  | { readonly state: 'known'; readonly host: FleetHost; readonly facts: HostFacts }
  | { readonly state: 'unreachable'; readonly host: FleetHost; readonly why: string }
  | { readonly state: 'refused'; readonly host: FleetHost; readonly error: EdgeadmError }

export class Session {
  readonly #transport: Transport
  readonly #options: TransportOptions
  readonly #connections = new Map<string, Connection>()
  readonly #elevations = new Map<string, Elevation>()

  constructor(options: TransportOptions) {
    this.#options = options
    this.#transport = new Transport(options)
  }

  /** Connects to all at once, and asks each for its facts. Never rejects for a host's sake. */
  async contact(hosts: readonly FleetHost[]): Promise<Contact[]> {
    return Promise.all(hosts.map((host) => this.#contactOne(host)))
  }

  /** The facts anew, as after a run. */
  async factsOf(host: FleetHost): Promise<HostFacts> {
    const connection = await this.connection(host)
    return gatherHostFacts(connection, host.name, host.ssh, this.#options.secrets)
  }

  /** The host's connection; a new one if the last one broke. @throws Unreachable; EdgeadmError class `preflight` */
  async connection(host: FleetHost): Promise<Connection> {
    const existing = this.#connections.get(host.name)
    if (existing !== undefined && !existing.isLost) return existing
    const made = await this.#transport.connect(host.name, host.address, host.ssh)
    const elevation = this.#elevations.get(host.name)
    if (elevation !== undefined) made.elevation = elevation
    this.#connections.set(host.name, made)
    return made
  }

  close(): void {
    this.#transport.close()
  }

  async #contactOne(host: FleetHost): Promise<Contact> {
    try {
      const facts = await this.factsOf(host)
      const connection = this.#connections.get(host.name)
      if (connection !== undefined) this.#elevations.set(host.name, connection.elevation)
      return { state: 'known', host, facts }
    } catch (error) {
      this.#options.signal.throwIfAborted()
      if (error instanceof Unreachable || error instanceof ConnectionLost)
        return { state: 'unreachable', host, why: messageOf(error).replace(`${host.name}: `, '') }
      if (error instanceof EdgeadmError) return { state: 'refused', host, error }
      throw error
    }
  }
}
