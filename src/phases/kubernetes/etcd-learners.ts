import type { EtcdMember } from '../../kubernetes/etcd.ts'
import { peerAddresses, type StackedEtcd, stackedEtcd } from '../../kubernetes/etcd-members.ts'
import { deciders, takeOut } from '../../kubernetes/remove-member.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { isControlPlane, type JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

/** Milliseconds. Another master that joins at the same time is a learner for some ten seconds. */
const LIMIT = 60_000
const MANIFEST = '/etc/kubernetes/manifests/etcd.yaml'
const DATA = '/var/lib/etcd/member'

/**
 * etcd takes one learner at a time (etcd, "max-learners"). One that an earlier join left behind keeps every later master
 * out, and kubeadm would only repeat its request for minutes.
 */
export const etcdLearners: Phase<JoinContext> = {
  name: 'etcd-learners',
  title: 'Check that etcd can take a further member',
  runIf: async ({ host, settings }) => {
    if (!isControlPlane(settings)) return 'only with --control-plane'
    if (settings.dryRun) return 'etcd is asked then'
    return (await host.stat(MANIFEST)) === undefined ? true : 'etcd runs here already'
  },
  run: async (ctx) => {
    const etcd = await stackedEtcd(ctx.host)
    if (etcd === undefined) return
    await removeOwn(ctx, etcd)
    await awaitNoLearner(ctx)
  },
}

/** A member at this machine's address without data here is what is left of an earlier life of this machine. */
async function removeOwn({ host, settings, emit, signal }: JoinContext, etcd: StackedEtcd): Promise<void> {
  const address = settings.controlPlane?.advertiseAddress ?? ''
  const own = etcd.members.find((member) => peerAddresses(member).includes(address))
  if (own === undefined || (await host.stat(DATA)) !== undefined) return
  emit({
    type: 'warning',
    text: `etcd still has a member at ${address} from an earlier join of this machine: it is taken out`,
  })
  await takeOut(await deciders(etcd, own), etcd, own, signal)
}

async function awaitNoLearner({ host, signal }: JoinContext): Promise<void> {
  let learner: EtcdMember | undefined
  try {
    await awaitCondition('etcd to have no learner', LIMIT, signal, async () => {
      learner = (await stackedEtcd(host))?.members.find(({ isLearner }) => isLearner)
      return learner === undefined
    })
  } catch (error) {
    if (learner === undefined) throw error
    const peer = peerAddresses(learner)[0] ?? ''
    throw new EdgeadmError(
      'preflight',
      `etcd has the member ${learner.name || peer} that never finished its join, and takes no further one`,
      {
        details: [`its address is ${peer}`],
        fix: `on a master run \`edgeadm reset --remove-node ${learner.name || peer}\`, and here the same command again`,
        cause: error,
      },
    )
  }
}
