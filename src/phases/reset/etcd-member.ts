import { healthOf } from '../../kubernetes/etcd.ts'
import { ownMember, stackedEtcd } from '../../kubernetes/etcd-members.ts'
import { takeOut } from '../../kubernetes/remove-member.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'
import { kubeadmReset } from './kubeadm.ts'

const kubeadm = kubeadmReset('remove-etcd-member')

/**
 * kubeadm finds its member by way of the Node. Without the Node it only warns, and wipes the data of a member that the others
 * still count (cmd/kubeadm/app/cmd/phases/reset/removeetcdmember.go). So edgeadm takes the member out itself, sees that it is
 * out, and lets kubeadm do the rest after that.
 */
export const etcdMember: Phase<ResetContext> = {
  ...kubeadm,
  runIf: (ctx) => (ctx.facts.role === 'master' ? true : (kubeadm.runIf?.(ctx) ?? true)),
  run: async (ctx) => {
    if (ctx.facts.role === 'master') await leaveEtcd(ctx)
    if ((await kubeadm.runIf?.(ctx)) === true) await kubeadm.run(ctx)
  },
}

async function leaveEtcd({ host, settings, facts, emit, residue, signal }: ResetContext): Promise<void> {
  const etcd = await stackedEtcd(host)
  const own = etcd && (await ownMember(host, etcd.members))
  if (etcd === undefined || own === undefined) return
  const others = etcd.members.filter(({ id, isLearner }) => id !== own.id && !isLearner)
  if (others.length === 0) return
  emit({
    type: 'change',
    phase: kubeadm.name,
    action: 'run',
    target: `take ${facts.nodeName} out of etcd`,
  })
  if (settings.dryRun) return
  const { healthy } = await healthOf(others, etcd.credentials)
  try {
    await takeOut(healthy, etcd, own, signal)
  } catch (error) {
    if (!(error instanceof EdgeadmError) || !settings.force) throw error
    const why = `${error.message}; on a master that works: edgeadm reset --remove-node ${facts.nodeName}`
    emit({ type: 'warning', text: why })
    residue.push({ what: `etcd member ${facts.nodeName}`, why, elsewhere: true })
  }
}
