/**
 * `edgeadm replace master OLD`, on another master: a lost master is taken out, one that runs leaves by its own reset; and the
 * line for the machine that takes its place is printed. This machine stays as it is.
 */

import { hostname } from 'node:os'
import { hostProblem } from '../config/names.ts'
import type { Look } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { describeHealth, type EtcdMember, healthOf, nameOf, quorumOf } from '../kubernetes/etcd.ts'
import { memberOf, peerAddresses, stackedEtcd, votersOf } from '../kubernetes/etcd-members.ts'
import { clusterOf } from '../kubernetes/kubeconfig.ts'
import { readMasters } from '../kubernetes/masters.ts'
import { ADMIN_CONF } from '../kubernetes/paths.ts'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { gatherResetFacts } from '../phases/reset/facts.ts'
import { render } from '../templates.ts'
import { VERSION } from '../version.ts'
import { requireLinuxRoot } from './prerequisites.ts'
import { hostForNode, type KnownNode, lookUpNode, lostMemberOf, takeOutNode } from './take-out-node.ts'
import { createToken } from './token.ts'

const PHASE = 'replace-master'
const NEW_LINE = '`edgeadm token create --print-join-command --control-plane`'

export interface MasterReplacement {
  /** The name of a Node, or the address of a master. */
  readonly old: string
  readonly flags: { readonly yes?: boolean; readonly 'dry-run'?: boolean }
  readonly reporting: Reporting
  /** Undefined where there is no terminal to ask on. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined
}

interface Member {
  /** Undefined: etcd has none of this name, or others run it. */
  readonly member: EtcdMember | undefined
  readonly isHealthy: boolean
}

/** @throws EdgeadmError class `usage` or `preflight`: nothing was changed; `phase`: run it again */
export async function replaceMaster(replacement: MasterReplacement): Promise<void> {
  const { old, flags, reporting } = replacement
  const dryRun = flags['dry-run'] === true
  requireLinuxRoot('replace master', false)
  const problem = hostProblem(old)
  if (problem !== undefined) throw new EdgeadmError('usage', `replace master: ${problem}`)
  const host = hostForNode(PHASE, dryRun, reporting)
  const { role, nodeName: own } = await gatherResetFacts(host, new Ledger(), hostname())
  if (role !== 'master' || (await host.stat(ADMIN_CONF)) === undefined)
    throw new EdgeadmError('preflight', `${own} is no master, and \`edgeadm replace master\` runs on one`, {
      fix: 'run it on a master that stays',
    })
  // etcd first: without its quorum the API server answers nothing.
  const { member, isHealthy } = await checkEtcd(host, old, own)
  await checkEndpoint(host, old, member)
  const known = await findMaster(host, old, own, member)
  const runs = known.isReady || isHealthy
  if (!runs) await ask(replacement, known.name)
  const run = { command: 'replace master', version: VERSION, node: own, dryRun, phases: [PHASE] }
  reporting.emit({ type: 'run', ...run })
  if (!runs) {
    const lost = await lostMemberOf(host, known, ADMIN_CONF)
    await takeOutNode(host, known, lost, { phase: PHASE, kubeconfig: ADMIN_CONF, dryRun }, reporting)
  }
  if (dryRun)
    return reporting.emit({
      type: 'result',
      text: runs
        ? `This was a dry run. ${known.name} runs: it would stay until \`edgeadm reset\` is run on it, and a join line would be printed.`
        : `This was a dry run: ${known.name} is in the cluster as it was.`,
      data: { node: known.name, dryRun: true },
    })
  const line = await joinLine(known.name, runs, reporting)
  reporting.emit({
    type: 'result',
    text: render('messages/replaced-master', { node: known.name, runs, line }).trim(),
    data: { node: known.name, removed: !runs, join: line },
  })
}

/** @throws EdgeadmError class `preflight` if etcd could not decide, or could not without the old master */
async function checkEtcd(host: Look, old: string, own: string): Promise<Member> {
  const etcd = await stackedEtcd(host)
  if (etcd === undefined) {
    if (old === own) throw ownMaster(own)
    return { member: undefined, isHealthy: false }
  }
  const member = memberOf(etcd.members, old, [old])
  const voters = votersOf(etcd.members)
  const { healthy, unhealthy } = await healthOf(voters, etcd.credentials)
  const needed = quorumOf(voters.length)
  if (healthy.length < needed || voters.length === 0)
    throw new EdgeadmError(
      'preflight',
      `etcd has no quorum: ${healthy.length} of its ${voters.length} voting members are healthy, and ${needed} are needed`,
      {
        details: unhealthy.map(describeHealth),
        fix: 'bring a master back first; if they are lost for good, `edgeadm restore` brings the cluster back from a backup',
      },
    )
  const others = voters.filter(({ id }) => id !== member?.id)
  if (old === own || member?.name === own) throw ownMaster(own, others.map(nameOf))
  const left = healthy.filter(({ id }) => id !== member?.id)
  if (left.length < quorumOf(others.length))
    throw new EdgeadmError(
      'preflight',
      `without ${old} etcd has no quorum: ${left.length} of the ${others.length} other members are healthy, and ${quorumOf(others.length)} are needed`,
      { details: unhealthy.map(describeHealth), fix: 'bring those masters back first' },
    )
  return { member, isHealthy: healthy.some(({ id }) => id === member?.id) }
}

function ownMaster(own: string, others: readonly string[] = []): EdgeadmError {
  if (others.length > 0)
    return new EdgeadmError('preflight', `this machine is ${own} itself`, {
      fix: `run it on a master that stays: ${others.join(', ')}`,
    })
  return new EdgeadmError('preflight', `${own} is the last master: without it there is no cluster`, {
    fix: `join another master first: ${NEW_LINE} prints its line`,
  })
}

/** @throws EdgeadmError class `preflight` where the old master's own address is the cluster's */
async function checkEndpoint(host: Look, old: string, member: EtcdMember | undefined): Promise<void> {
  const server = clusterOf((await host.readFile(ADMIN_CONF)) ?? '')?.server
  if (server === undefined || member === undefined) return
  const address = new URL(server).hostname.replace(/^\[(.*)\]$/, '$1')
  if (!peerAddresses(member).includes(address)) return
  throw new EdgeadmError(
    'preflight',
    `all nodes reach the cluster at ${server}, and that is the own address of ${old}`,
    {
      fix: 'give the cluster an endpoint that is not the address of one master; docs/high-availability.md says how',
    },
  )
}

/** @throws EdgeadmError class `preflight` for a name of nobody, or of a node that is no master */
async function findMaster(
  host: Look,
  old: string,
  own: string,
  member: EtcdMember | undefined,
): Promise<KnownNode> {
  const known = await lookUpNode(host, old, ADMIN_CONF)
  const name = known.onRecord?.node ?? (member?.name || old)
  if (name === own) throw ownMaster(own)
  if (name !== old) return { ...(await lookUpNode(host, name, ADMIN_CONF)), isMaster: true }
  if (known.isMaster || member !== undefined) return known
  if (known.exists)
    throw new EdgeadmError(
      'preflight',
      `${old} is ${known.isEdge ? 'an edge node' : 'a worker'}, no master`,
      {
        fix: `\`edgeadm reset --remove-node ${old}\` takes such a node out of the cluster`,
      },
    )
  const masters = (await readMasters(host)).map(({ node }) => node)
  throw new EdgeadmError('preflight', `the cluster has no master ${old}; it has ${masters.join(', ')}`, {
    fix: `if ${old} is out already, ${NEW_LINE} prints the line for a new master`,
  })
}

async function ask({ flags, confirm }: MasterReplacement, name: string): Promise<void> {
  if (flags['dry-run'] === true || flags.yes === true) return
  if (confirm === undefined)
    throw new EdgeadmError(
      'usage',
      '`edgeadm replace master` asks before it acts, and there is no terminal to ask on',
      {
        fix: `give --yes if ${name} is to leave the cluster`,
      },
    )
  if (!(await confirm(`Take ${name}, which does not answer, out of the cluster for good?`)))
    throw new EdgeadmError('usage', 'not confirmed: nothing was changed')
}

async function joinLine(name: string, runs: boolean, reporting: Reporting): Promise<string> {
  try {
    return await createToken(undefined, { 'print-join-command': true, 'control-plane': true }, reporting)
  } catch (error) {
    if (!(error instanceof EdgeadmError) || runs) throw error
    throw new EdgeadmError(
      'phase',
      `${name} is out of the cluster, but its successor's join line could not be made: ${messageOf(error)}`,
      { details: error.details, fix: `${NEW_LINE} makes it`, cause: error },
    )
  }
}
