/**
 * Notes who on this machine, its Pods included, tries to reach addresses outside of the cluster's networks (`--assert-offline`).
 * A table of nftables notes every attempt; while a run lasts, edgeadm looks a few times a second whose socket it was.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { Host, Look } from '../host/host.ts'
import { isLeftUnloaded } from '../host/kernel-modules.ts'
import { EdgeadmError } from '../output/errors.ts'
import { render } from '../templates.ts'
import {
  type Attempt,
  attemptLines,
  familyOf,
  isInside,
  LOCAL4,
  LOCAL6,
  networksIn,
  parseAttempts,
  processOf,
} from './outside-attempts.ts'

const TABLE = 'edgeadm-outside'
/** More attempts than this are not told apart. */
const SIZE = 65_535
/** Milliseconds between two looks: nftables does not tell when a packet made an entry. */
const INTERVAL = 300
/** Where CNI's plugin host-local notes which container has an address (containernetworking/plugins, host-local). */
const ADDRESSES = '/var/lib/cni/networks'

/** Why attempts could not be seen on this machine; undefined: they can. @param family of the node's address */
export async function whyUnseen(host: Look, family: 4 | 6): Promise<string | undefined> {
  if ((await host.probe('nft', ['--version'])).exitCode !== 0)
    return 'it needs the program nft: install the package nftables'
  const route = await host.probe('ip', [`-${family}`, 'route', 'show', 'default'])
  if (route.stdout.trim() === '')
    return 'this machine has no default route: its kernel refuses packets to outside before anything can see them'
  // A look would load the module before the state of the machine is on record.
  if (await isLeftUnloaded(host, 'nf_tables')) return undefined
  const answer = await host.probe('nft', ['--check', '--file', '-'], { input: table([]) })
  return answer.exitCode === 0
    ? undefined
    : `this kernel's nftables lacks what it needs: ${answer.stderr.split('\n')[0]}`
}

export class OutsideTraffic {
  readonly #senders = new Map<string, string>()
  #watch: { readonly end: AbortController; readonly looking: Promise<void>; readonly host: Host } | undefined

  /** @param inside addresses and networks that are known beforehand */
  async start(host: Host, inside: readonly string[], dryRun: boolean): Promise<void> {
    const exists = `nft list table inet ${TABLE}`
    await host.run('nft', ['--file', '-'], {
      title: 'note packets to outside of the cluster in nftables',
      input: table(inside),
      undo: {
        file: 'nft',
        args: ['delete', 'table', 'inet', TABLE],
        unless: { file: 'sh', args: ['-c', `! ${exists} > /dev/null 2>&1`] },
      },
    })
    if (dryRun) return
    const end = new AbortController()
    this.#watch = { end, host, looking: this.#look(host, end.signal) }
    this.#watch.looking.catch(() => {}) // met in finish()
  }

  /**
   * Ends the watch and removes the table.
   * @param inside all that is known by now
   * @returns a line for each sender and destination outside
   */
  async finish(host: Host, inside: readonly string[]): Promise<string[]> {
    if (this.#watch === undefined) return []
    this.#watch.end.abort()
    await this.#watch.looking
    const attempts = await this.#read(host)
    await this.discard()
    const networks = [...LOCAL4, ...LOCAL6, ...networksIn(inside)]
    return attemptLines(
      attempts.filter(({ destination }) => !isInside(destination, networks)),
      (attempt) => this.#senders.get(keyOf(attempt)) ?? `a program on ${attempt.source} that ended at once`,
    )
  }

  /** Removes the table, if it is still there: the run ends before it was asked for. */
  async discard(): Promise<void> {
    if (this.#watch === undefined) return
    const { end, host } = this.#watch
    end.abort()
    this.#watch = undefined
    await host.run('nft', ['delete', 'table', 'inet', TABLE], {
      title: 'no longer note packets in nftables',
      undo: null,
    })
  }

  async #look(host: Host, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const unknown = (await this.#read(host)).filter((attempt) => !this.#senders.has(keyOf(attempt)))
      if (unknown.length > 0) {
        const { stdout } = await host.probe('ss', ['-Htunap'])
        for (const attempt of unknown) {
          const sender = processOf(stdout, attempt) ?? (await podOf(host, attempt.source))
          if (sender !== undefined) this.#senders.set(keyOf(attempt), sender)
        }
      }
      await delay(INTERVAL, undefined, { signal }).catch(() => {})
    }
  }

  async #read(host: Host): Promise<Attempt[]> {
    const { stdout, stderr, exitCode } = await host.probe('nft', ['--json', 'list', 'table', 'inet', TABLE])
    if (exitCode === 0) return parseAttempts(stdout)
    throw new EdgeadmError(
      'phase',
      `the table ${TABLE} that notes packets to outside is gone from nftables`,
      {
        details: [stderr],
        fix: 'look for a program that loads its rules anew, and run the same command again',
      },
    )
  }
}

function keyOf({ source, sourcePort, protocol, destination, port }: Attempt): string {
  return [source, sourcePort, protocol, destination, port].join(' ')
}

function table(inside: readonly string[]): string {
  const networks = networksIn(inside)
  return render('network/outside-traffic.nft', {
    table: TABLE,
    size: SIZE,
    inside4: [...LOCAL4, ...networks.filter((network) => familyOf(network) === 4)],
    inside6: [...LOCAL6, ...networks.filter((network) => familyOf(network) === 6)],
  })
}

/** The Pod that has this address. Its sockets are in a network namespace of its own. */
async function podOf(host: Look, address: string): Promise<string | undefined> {
  for (const network of await host.list(ADDRESSES)) {
    const id = (await host.readFile(`${ADDRESSES}/${network}/${address}`))?.split(/\s/)[0]
    if (id === undefined) continue
    const { stdout, exitCode } = await host.probe('ctr', ['--namespace=k8s.io', 'containers', 'info', id])
    if (exitCode !== 0) return `the Pod with address ${address}`
    const { Labels } = JSON.parse(stdout) as { Labels?: Record<string, string> }
    const name = [Labels?.['io.kubernetes.pod.namespace'], Labels?.['io.kubernetes.pod.name']].join('/')
    return `Pod ${name}`
  }
  return undefined
}
