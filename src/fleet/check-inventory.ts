/** What one file can be wrong about without a look at any host. */

import { isIP } from 'node:net'
import type { ConfigDocument } from '../config/file.ts'
import { EDGE_CONFIGURATION_FIELDS, fieldOf } from '../config/known-fields.ts'
import {
  checkTaint,
  hostProblem,
  labelKeyProblem,
  labelValueProblem,
  nodeNameProblem,
} from '../config/names.ts'
import type { Problems } from '../config/problems.ts'
import { nearest } from '../output/nearest.ts'
import type { FleetHost, Inventory } from './inventory.ts'
import type { ClusterDocument } from './schema.ts'

export function checkInventory(inventory: Inventory, document: ConfigDocument, problems: Problems): void {
  const at = (index: number, ...path: (string | number)[]) =>
    document.where(['spec', 'hosts', index, ...path])
  const { hosts, documents } = inventory
  const { spec } = document.value as unknown as ClusterDocument
  const name = labelValueProblem(inventory.name)
  if (name !== undefined) problems.add(document.where(['metadata', 'name']), name)
  duplicates(
    (spec.sites ?? []).map((site) => site.name),
    (index, first) =>
      problems.add(
        document.where(['spec', 'sites', index, 'name']),
        `the site is there a second time; the first is ${document.where(['spec', 'sites', first])}`,
      ),
  )
  duplicates(
    hosts.map((host) => host.name),
    (index, first) =>
      problems.add(
        at(index, 'name'),
        `the host ${hosts[index]?.name} is there a second time; the first is ${at(first)}`,
      ),
  )
  duplicates(
    // The same address through another jump host, or with another port, is another machine.
    hosts.map(({ address, ssh }) => `${address} ${ssh.port ?? ''} ${ssh.jump ?? ''}`),
    (index, first) =>
      problems.add(
        at(index, 'address'),
        `${hosts[index]?.address} is the address of ${hosts[first]?.name}, too (${at(first)})`,
      ),
  )
  duplicates(
    hosts.map(({ nodeAddress }) => nodeAddress),
    (index, first) =>
      problems.add(at(index, 'nodeAddress'), `is the address of ${hosts[first]?.name}, too (${at(first)})`),
  )
  hosts.forEach((host, index) => {
    checkHost(host, inventory, (path, text) => problems.add(at(index, ...path), text))
  })
  checkMasters(inventory, document, problems)
  const endpoint = documents.get('ClusterConfiguration')?.controlPlaneEndpoint
  if (
    hosts.filter(({ role, absent }) => role === 'master' && !absent).length > 1 &&
    typeof endpoint !== 'string'
  )
    problems.add(
      inventory.file,
      'several masters need an address for all: add a ClusterConfiguration with controlPlaneEndpoint, and an EdgeConfiguration with highAvailability.mode',
    )
}

function checkHost(
  host: FleetHost,
  inventory: Inventory,
  add: (path: readonly (string | number)[], text: string) => void,
): void {
  const check = (path: readonly (string | number)[], problem: string | undefined) => {
    if (problem !== undefined) add(path, problem)
  }
  check(['name'], nodeNameProblem(host.name))
  // An alias of ssh_config may have letters that a DNS name cannot have.
  if (/^[\d.]+$/.test(host.address) || host.address.includes(':'))
    check(['address'], hostProblem(host.address))
  if (/[\s'"@]/.test(host.address))
    add(['address'], `"${host.address}" is no address; the user goes into ssh.user`)
  if (host.address.startsWith('-')) add(['address'], `"${host.address}" is no address`)
  if (host.nodeAddress !== undefined && isIP(host.nodeAddress) === 0)
    add(['nodeAddress'], `"${host.nodeAddress}" is not an IP address`)
  if (host.site !== undefined && !inventory.sites.includes(host.site))
    add(['site'], unknownSite(host.site, inventory))
  for (const [key, value] of Object.entries(host.labels))
    check(['labels', key], labelKeyProblem(key) ?? labelValueProblem(value))
  host.taints?.forEach((taint, index) => {
    const checked = checkTaint(taint)
    if (typeof checked === 'string') add(['taints', index], checked)
  })
  for (const key of Object.keys(host.edgeConfiguration)) {
    if (fieldOf(EDGE_CONFIGURATION_FIELDS, key) === undefined) {
      const meant = nearest(key, Object.keys(EDGE_CONFIGURATION_FIELDS))
      add(
        ['edgeConfiguration', key],
        `there is no such field${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      )
    }
    if (key === 'enableEdge' || key === 'package')
      add(['edgeConfiguration', key], `${key === 'package' ? 'spec.package' : 'role'} says it`)
  }
  if (host.ssh.password?.env !== undefined && host.ssh.password.file !== undefined)
    add(['ssh', 'password'], 'give env or file, not both')
  checkTransport(host, add)
  if (
    host.ssh.hostKey !== undefined &&
    !/^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+=*( .*)?$/.test(host.ssh.hostKey)
  )
    add(['ssh', 'hostKey'], 'is no public key: "ssh-ed25519 AAAA…", one line of /etc/ssh/ssh_host_*_key.pub')
}

/** What edgeadm says to `ssh` itself, and what others must not take back. */
const OWN_OPTIONS =
  /^(batchmode|stricthostkeychecking|userknownhostsfile|globalknownhostsfile|control\w*|remotecommand|requesttty|escapechar|stdinnull|forkafterauthentication|sessiontype|localcommand|permitlocalcommand)$/i

function checkTransport(
  { ssh }: FleetHost,
  add: (path: readonly (string | number)[], text: string) => void,
): void {
  const isOpenSsh = ssh.transport === 'openssh'
  if (isOpenSsh && ssh.password !== undefined)
    add(
      ['ssh', 'password'],
      'transport: openssh logs in with keys, certificates and agents, not with a password',
    )
  for (const [key, value] of Object.entries(ssh.options ?? {})) {
    const where = ['ssh', 'options', key]
    if (!isOpenSsh) add(where, 'is for ssh.transport: openssh')
    else if (!/^[A-Za-z0-9]+$/.test(key) || /[\r\n]/.test(value)) add(where, 'is no word of ssh_config')
    else if (OWN_OPTIONS.test(key))
      add(where, 'is set by edgeadm; ssh.knownHosts and ssh.hostKey say what is trusted')
  }
}

function checkMasters(inventory: Inventory, document: ConfigDocument, problems: Problems): void {
  if (inventory.hosts.some(({ role, absent }) => role === 'master' && !absent)) return
  problems.add(
    document.where(['spec', 'hosts']),
    inventory.hosts.some(({ role }) => role === 'master')
      ? 'every master is absent: a cluster without a master cannot be managed; `edgeadm reset -f` takes the whole cluster down'
      : 'there is no host with role: master',
  )
}

function unknownSite(site: string, { sites }: Inventory): string {
  const meant = nearest(site, sites)
  return `there is no site "${site}" in spec.sites${meant === undefined ? '' : `; did you mean ${meant}?`}`
}

function duplicates(
  values: readonly (string | undefined)[],
  report: (index: number, first: number) => void,
): void {
  values.forEach((value, index) => {
    const first = values.indexOf(value)
    if (value !== undefined && first < index) report(index, first)
  })
}
