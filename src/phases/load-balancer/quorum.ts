import { describeHealth, healthOf, nameOf, quorumOf } from '../../kubernetes/etcd.ts'
import { ownMember, stackedEtcd, votersOf } from '../../kubernetes/etcd-members.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { ResetContext } from '../reset/context.ts'
import type { Phase } from '../workflow.ts'

/**
 * A master that leaves takes a vote of etcd with it. It stays, unless forced, if what remains could not decide any more;
 * the masters that are not healthy are named, for they are what has to be mended first.
 */
export const quorum: Phase<ResetContext> = {
  name: 'control-plane-quorum',
  title: 'Check that the other masters can do without this one',
  runIf: ({ facts }) => (facts.role === 'master' ? true : 'this machine is not a master'),
  run: async ({ host, settings, facts, emit }) => {
    const etcd = await stackedEtcd(host)
    if (etcd === undefined) return
    const own = await ownMember(host, etcd.members)
    const others = votersOf(etcd.members).filter(({ id }) => id !== own?.id)
    if (others.length === 0) return
    const { healthy, unhealthy } = await healthOf(others, etcd.credentials)
    for (const { member, problem } of unhealthy)
      emit({
        type: 'warning',
        text: `etcd on master ${nameOf(member)} is not healthy: ${problem}`,
      })
    if (healthy.length >= quorumOf(others.length)) return
    const text = `without ${facts.nodeName} etcd has no quorum: ${healthy.length} of the ${others.length} other masters is healthy, and ${quorumOf(others.length)} are needed`
    if (settings.force) return emit({ type: 'warning', text: `${text}; going on because of --force` })
    throw new EdgeadmError('preflight', text, {
      details: unhealthy.map(describeHealth),
      fix: 'bring those masters back, or remove them from the cluster, first; `--force` resets this one all the same, and the cluster stops',
    })
  },
}
