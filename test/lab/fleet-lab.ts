/** A fleet of lab machines on which nothing of edgeadm is: its inventory, and the commands over it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type CommandResult, probe } from '../../src/lab/command.ts'
import { networkNamespace } from '../../src/lab/paths.ts'
import type { Event } from '../../src/output/events.ts'
import { makeKey } from '../fleet/sshd.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { changesOf } from './machine-changes.ts'
import { type TestLab, useLab } from './machines.ts'

export interface FleetLab {
  readonly lab: TestLab
  /**
   * Writes the inventory.
   * @param hosts name and what else stands in the entry
   * @param documents YAML after it; the lab's own documents always stand there
   */
  write(hosts: Readonly<Record<string, FleetLabHost>>, documents?: string): Promise<void>
  /** A command with `-f` of the inventory, in the machines' network, which has no way out. */
  edgeadm(...args: string[]): Promise<FleetRun>
  /** What is different on a machine's disk, less what a login leaves there, the test's key, and logs, which reset keeps. */
  changes(machine: string): Promise<string[]>
}

export interface FleetLabHost {
  /** The machine that is it; default: that of its name. */
  readonly machine?: string
  /** Further fields, as YAML: ", labels: {place: door}". */
  readonly more?: string
}

export type FleetRun = CommandResult & { readonly events: readonly Event[] }

/** To be called at the top of a file. @param addresses of the machines */
export function useFleetLab(
  counts: { readonly masters: number; readonly workers: number; readonly edges: number },
  addresses: Readonly<Record<string, string>>,
): FleetLab {
  const directory = mkdtempSync(join(tmpdir(), 'edgeadm-fleet-lab-'))
  const key = makeKey(directory, 'key')
  const file = join(directory, 'cluster.yaml')
  const hostKeys = new Map<string, string>()
  afterAll(() => rmSync(directory, { recursive: true }))
  const lab = useLab({
    ...counts,
    prepare: async (machines) => {
      const script =
        'mkdir -p -m 700 /root/.ssh; cat >/root/.ssh/authorized_keys; cat /etc/ssh/ssh_host_ed25519_key.pub'
      for (const name of Object.keys(addresses))
        hostKeys.set(
          name,
          (await machines.run(name, ['sh', '-c', script], { input: readFileSync(`${key}.pub`) })).trim(),
        )
    },
  })
  return {
    lab,
    async write(hosts, documents = '') {
      const lines = Object.entries(hosts).map(
        ([name, { machine = name, more = '' }]) =>
          `    - {name: ${name}, address: ${addresses[machine]}, role: ${name.split('-')[0]}, site: shop, ssh: {hostKey: "${hostKeys.get(machine)}"}${more}}`,
      )
      const head = [
        'apiVersion: edgeadm.io/v1alpha1',
        'kind: Cluster',
        'metadata: {name: lab}',
        'spec:',
        `  package: ${PACKAGE}`,
        `  ssh: {user: root, jump: none, identityFile: ${key}}`,
        '  sites: [{name: shop}]',
        '  hosts:',
      ]
      // What machines that share a kernel need.
      const own = await lab.run('master-1', ['cat', '/root/cluster.yaml'])
      writeFileSync(file, [...head, ...lines, documents, '---', own].join('\n'))
    },
    async edgeadm(command, ...args) {
      const words = ['netns', 'exec', networkNamespace(lab.name), EXECUTABLE, command as string]
      const result = await probe('ip', [...words, '--filename', file, ...args, '--output=json'], {
        env: { XDG_CACHE_HOME: directory },
      })
      const events = result.stdout
        .split('\n')
        .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Event] : []))
      return { ...result, events }
    },
    changes: async (machine) =>
      (await changesOf(lab, machine)).filter(
        (path) => !/^\/(var\/log|root\/\.ssh|root\/\.cache|run)(\/|$)/.test(path),
      ),
  }
}

/** State by host; the error's text if there is one. */
export function outcome({ events }: { events: readonly Event[] }): unknown {
  const result = events.find((event) => event.type === 'result')
  const error = events.find((event) => event.type === 'error' && event.host === undefined)
  if (error?.type === 'error' && result === undefined) return [error.message, ...error.details]
  const { hosts } =
    result?.type === 'result'
      ? (result.data as { hosts: { host: string; state: string; text: string }[] })
      : { hosts: [] }
  return Object.fromEntries(
    hosts.map(({ host, state, text }) => [
      host,
      state === 'failed' || state === 'unreachable' ? text : state,
    ]),
  )
}
