/** What of a cluster's state needs hands: one sentence each, with what to do. */

import { parseVersion } from '../config/versions.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { MasterStatus } from './master-status.ts'
import type { ClusterStatus, NodeStatus } from './status.ts'

/** Kubernetes' version skew policy: a kubelet is never newer than the API server, and at most three minors older. */
const MAXIMUM_SKEW = 3
/** Days after which the last backup is too old, where backups are made at all. */
const BACKUP_DAYS = 7
const DAY = 86_400_000

/** The exit code says it, too. */
export function attention(problems: readonly string[]): EdgeadmError | undefined {
  if (problems.length === 0) return undefined
  return new EdgeadmError(
    'attention',
    `${problems.length} ${problems.length === 1 ? 'thing needs' : 'things need'} hands`,
    { details: problems },
  )
}

export function problemsOf(status: ClusterStatus, now: number = Date.now()): string[] {
  const { nodes, parts, master, kubernetesVersion } = status
  return [
    ...nodes.filter(({ ready }) => !ready).map(notReady),
    ...nodes.flatMap((node) => skewProblem(node, kubernetesVersion)),
    ...parts
      .filter(({ ready, wanted }) => ready < wanted)
      .map(
        (part) =>
          `${part.name}: ${part.ready} of ${part.wanted} run; \`kubectl -n kubeedge get pods\` shows which`,
      ),
    ...(master === undefined ? [] : masterProblems(master, now)),
  ]
}

function notReady({ name, roles, seen, reason }: NodeStatus): string {
  const since = seen === undefined ? 'was never seen' : `offline since ${ago(seen)}`
  return `${name}${roles.includes('edge') ? ' (edge)' : ''} is not Ready, ${since}${reason === '' ? '' : `: ${reason}`}`
}

function skewProblem({ name, version }: NodeStatus, server: string): string[] {
  // edgecore's is `v1.32.10-kubeedge-v1.23.0`.
  const [own, other] = [parseVersion(version.split('-')[0] ?? ''), parseVersion(server)]
  if (own === undefined || other === undefined) return []
  if (own.minor > other.minor)
    return [`${name} has ${version}, which is newer than the API server (${server})`]
  if (other.minor - own.minor <= MAXIMUM_SKEW) return []
  return [
    `${name} has ${version}, more than ${MAXIMUM_SKEW} minor versions behind the API server (${server})`,
  ]
}

function masterProblems(
  { etcd, virtualAddress, certificates, lastBackup }: MasterStatus,
  now: number,
): string[] {
  const late = certificates.filter(({ level }) => level !== 'ok')
  const age = lastBackup === undefined ? 0 : (now - Date.parse(lastBackup.time)) / DAY
  return [
    ...(etcd === undefined ? [] : etcdProblems(etcd)),
    ...(virtualAddress?.holder === null
      ? [`no master answers at the virtual address ${virtualAddress.address}`]
      : []),
    ...late.map(({ name, node, level, notAfter }) => {
      const whose = node === undefined ? '' : ` of ${node}`
      return `certificate ${name}${whose} ${level === 'expired' ? 'ended' : 'ends'} on ${notAfter.slice(0, 10)}: \`edgeadm certs status\` shows more`
    }),
    ...(age > BACKUP_DAYS
      ? [`the last backup is ${Math.floor(age)} days old: \`edgeadm backup create\` makes one`]
      : []),
  ]
}

function etcdProblems({ members, spare }: NonNullable<MasterStatus['etcd']>): string[] {
  if (members.length === 0) return ['etcd does not answer']
  return [
    ...members.flatMap(({ name, problem }) =>
      problem === null ? [] : [`etcd's member ${name}: ${problem}`],
    ),
    ...members.filter(({ learner }) => learner).map(({ name }) => `etcd's member ${name} does not vote yet`),
    ...(spare < 0 ? ['etcd has no quorum'] : []),
  ]
}

/** @param seconds */
export function ago(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
