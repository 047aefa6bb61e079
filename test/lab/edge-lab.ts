/** What tests of edge nodes share: how a machine joins as one, and how it and the cluster are asked. */

import { basename } from 'node:path'
import { PACKAGE } from './artifacts.ts'
import type { TestLab } from './machines.ts'

export const WITH_PACKAGE = [`--install-pkg-path=/root/${basename(PACKAGE)}`, '--config=/root/cluster.yaml']
export const MASTER = '10.123.0.11'
export const SERVICES = '/api/v1/services'
const JOIN_LINE = /edgeadm (join \S+:6443 --token \S+ --discovery-token-ca-cert-hash \S+)/

export interface EdgeLab {
  /** On the first master. */
  kubectl(...args: string[]): Promise<string>
  curl(machine: string, ...args: string[]): Promise<string>
  /** Names of services that the plain MetaServer of a machine lists. */
  servicesOn(machine: string): Promise<string[]>
  /** The words of the join line that `init` printed. */
  init(...flags: string[]): Promise<string[]>
  /** Joins and rejects unless that worked. */
  join(machine: string, words: readonly string[]): Promise<void>
}

export function edgeLab(lab: TestLab): EdgeLab {
  const curl = (machine: string, ...args: string[]) =>
    lab.run(machine, ['curl', '-sS', '--max-time', '15', ...args])
  return {
    kubectl: (...args) => lab.run('master-1', ['kubectl', ...args]),
    curl,
    servicesOn: async (machine) => {
      const list = JSON.parse(await curl(machine, `http://127.0.0.1:10550${SERVICES}`)) as {
        items: { metadata: { name: string } }[]
      }
      return list.items.map(({ metadata }) => metadata.name)
    },
    init: async (...flags) => {
      const text = await lab.run('master-1', ['edgeadm', 'init', ...WITH_PACKAGE, ...flags])
      const words = JOIN_LINE.exec(text)?.[1]?.split(' ') ?? []
      if (words.length !== 6) throw new Error(`init printed no join line: ${text}`)
      return words
    },
    join: async (machine, words) => {
      await lab.run(machine, ['edgeadm', ...words, ...WITH_PACKAGE])
    },
  }
}
