import type { Look } from '../host/host.ts'
import { hasKey, healthOf, nameOf } from '../kubernetes/etcd.ts'
import { ownMember, stackedEtcd } from '../kubernetes/etcd-members.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'

/** kubeadm's record of the cluster; every cluster of kubeadm has it. */
const CLUSTER_KEY = '/registry/configmaps/kube-system/kubeadm-config'

/**
 * A cluster that runs loses what came after the backup. Other members that run would go on with the old data beside the new
 * ones: two clusters with one name. So they are refused whatever the user says.
 * @throws EdgeadmError class `preflight`
 */
export async function refuseRunning(host: Look, force: boolean, { emit }: Reporting): Promise<void> {
  const etcd = await stackedEtcd(host)
  if (etcd === undefined || etcd.members.length === 0) return
  const own = await ownMember(host, etcd.members)
  const voters = etcd.members.filter(({ isLearner }) => !isLearner)
  const { healthy } = await healthOf(voters, etcd.credentials)
  const others = etcd.members.filter((member) => member.id !== own?.id)
  const reachable = healthy.filter(({ id }) => id !== own?.id)
  if (reachable.length > 0)
    throw new EdgeadmError(
      'preflight',
      `etcd of ${reachable.map(nameOf).join(', ')} runs: restored here, there would be two clusters`,
      {
        fix: 'while a majority runs, nothing has to be restored: `edgeadm reset` here, then join again. To go back in time, `edgeadm reset --force` on the other masters first',
      },
    )
  if (healthy.length === 0) {
    if (others.length > 0)
      emit({
        type: 'warning',
        text: `etcd knows ${others.map(nameOf).join(', ')} as members, too, and none answers: they have to be reset before they start again`,
      })
    return
  }
  const url = own?.clientUrl
  if (url !== undefined && !(await hasKey(url, etcd.credentials, CLUSTER_KEY))) {
    // It started anew, without its data, and knows no cluster: nothing can be lost.
    emit({
      type: 'warning',
      text: 'etcd runs here without the data of a cluster: it was started after they were lost',
    })
    return
  }
  if (!force)
    throw new EdgeadmError(
      'preflight',
      'this cluster runs: a restore throws away all that was written since the backup',
      {
        fix: '`edgeadm backup create` first, then add --force if it is to go back in time',
      },
    )
}
