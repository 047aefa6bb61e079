/** What is still on a machine that was not there before edgeadm, each with the reason. Only looks. */

import type { Look } from '../../host/host.ts'
import { mountsBelow } from '../../host/mounts.ts'
import { processes } from '../../host/processes.ts'
import { describe, planOf, type Residue } from '../../host/undo.ts'
import { type NetworkBaseline, readBaseline } from '../../network/baseline.ts'
import { firewallPrograms } from '../../network/firewall-programs.ts'
import { leftoverLinks, leftoverNamespaces, links, namespaceNames } from '../../network/links.ts'
import { listeners, nameOf } from '../../network/listeners.ts'
import { isMaterial, leftovers } from '../../network/ruleset.ts'
import { LITE_PORT } from '../../superedge/paths.ts'
import { containerProcesses } from './containers.ts'
import type { ResetContext } from './context.ts'

type Check = (ctx: ResetContext) => Promise<Residue[]>

/** Everything but what `ctx.residue` names already. */
export async function findResidue(ctx: ResetContext): Promise<Residue[]> {
  const found = (await Promise.all(CHECKS.map((check) => check(ctx)))).flat()
  const known = new Set(ctx.residue.map(({ what }) => what))
  return found.filter(({ what }) => !known.has(what))
}

/** Entries that were not taken back: their phase was skipped, or it has not run yet. */
const ledgerEntries: Check = async ({ ledger }) =>
  (await ledger.entries()).map((entry) => {
    const { action, target } = planOf(entry)
    return { what: describe(entry), why: `not done yet: ${action} ${target}` }
  })

/** What was removed and is there again. Below /run others make files as they please, iptables its lock for one. */
const paths: Check = async ({ host, ledger }) => {
  const pending = new Set((await ledger.entries()).map(({ id }) => id))
  const last = new Map((await ledger.history()).map((entry) => ['path' in entry ? entry.path : '', entry]))
  const found: Residue[] = []
  for (const [path, entry] of last) {
    const wasAbsent =
      entry.kind === 'claim' ? entry.kept === null : entry.kind === 'file' && entry.before.type === 'absent'
    if (!wasAbsent || entry.isTheirs === true || pending.has(entry.id) || path.startsWith('/run/')) continue
    if ((await host.stat(path)) !== undefined)
      found.push({ what: path, why: 'something made it again after it had been removed' })
  }
  return found
}

const mounts: Check = async ({ host, facts }) => {
  const mountinfo = (await host.readFile('/proc/self/mountinfo')) ?? ''
  const roots = [
    '/var/lib/kubelet',
    ...(facts.ownsContainerd ? ['/run/containerd', '/var/lib/containerd'] : []),
  ]
  return roots
    .flatMap((root) => mountsBelow(mountinfo, root))
    .map((target) => ({ what: `mount ${target}`, why: `it is in use: see \`fuser -vm ${target}\`` }))
}

const runningProcesses: Check = async ({ host, facts, ledger }) => {
  const history = await ledger.history()
  const installed = new Set(
    history.flatMap((entry) => (entry.kind === 'file' && entry.before.type === 'absent' ? [entry.path] : [])),
  )
  const own = (await processes(host)).filter(({ command }) => installed.has(command[0] ?? ''))
  const left = [...own, ...(await containerProcesses(host, facts.ownsContainerd))]
  const pids = new Map(left.map((one) => [one.pid, one.command[0] ?? '']))
  return [...pids].map(([pid, program]) => ({
    what: `process ${pid} (${program})`,
    why: 'it still runs',
  }))
}

const units: Check = async ({ host, ledger }) => {
  const names = new Set(
    (await ledger.history()).flatMap((entry) => (entry.kind === 'service' ? [entry.unit] : [])),
  )
  const listed = await host.probe('systemctl', ['list-units', '--all', '--plain', '--no-legend', '--full'])
  return listed.stdout.split('\n').flatMap((line) => {
    const [unit = '', load, active] = line.trim().split(/\s+/)
    const isOwn = names.has(unit) && load === 'not-found'
    return isOwn || /^(kubepods\S*\.slice|cri-containerd-\S+\.scope)$/.test(unit)
      ? [{ what: `unit ${unit}`, why: `systemd still has it: ${load}, ${active}` }]
      : []
  })
}

const network: Check = async (ctx) => {
  const before = await readBaseline(ctx.ledger.directory)
  return before === undefined
    ? []
    : [...(await devices(ctx.host, before)), ...(await firewallRules(ctx, before))]
}

async function devices(host: Look, before: NetworkBaseline): Promise<Residue[]> {
  return [
    ...leftoverNamespaces(await namespaceNames(host), before.namespaces).map((name) => ({
      what: `network namespace ${name}`,
      why: 'a Pod left it',
    })),
    ...leftoverLinks(await links(host), before.links).map(({ name }) => ({
      what: `interface ${name}`,
      why: 'the network of Pods left it',
    })),
  ]
}

async function firewallRules({ host, facts }: ResetContext, before: NetworkBaseline): Promise<Residue[]> {
  const { programs, blind } = await firewallPrograms(host)
  const found: Residue[] = []
  for (const program of programs) {
    for (const { table, chains } of leftovers(await program.read(), before.rules[program.flavour]).filter(
      isMaterial,
    )) {
      found.push({
        what: `firewall table ${table.family} ${table.name}`,
        why: `it still has ${chains.join(', ') || 'what Kubernetes put there'} (${program.name})`,
      })
    }
  }
  if (!facts.mayHaveRunPods) return found
  const programsOf = { nf_tables: 'neither nft nor iptables', legacy: 'no iptables-legacy' }
  return [
    ...found,
    ...blind.map((flavour) => ({
      what: `firewall rules in ${flavour}`,
      why: `this machine has ${programsOf[flavour]} to see and remove those of kube-proxy and CNI; they end with a reboot`,
    })),
  ]
}

/** Ports that only Kubernetes' own programs listen on: kubeadm's, kube-proxy's, flannel's and lite-apiserver's. */
const PORTS = new Set([2379, 2380, 2381, 6443, 10248, 10249, 10250, 10256, 10257, 10259, LITE_PORT])
const PROGRAMS = /^(kube|etcd|flanneld|coredns|edgecore|cloudcore|lite-apiserver)/

const ports: Check = async ({ host }) => {
  return [...(await listeners(host))].flatMap(([port, listener]) =>
    PORTS.has(port) && PROGRAMS.test(listener.program ?? '')
      ? [{ what: `port ${port}`, why: `${nameOf(listener)} listens on it` }]
      : [],
  )
}

const CHECKS: readonly Check[] = [ledgerEntries, paths, mounts, runningProcesses, units, network, ports]
