/** Flags of `upgrade`: kubeadm's under kubeadm's names, and edgeadm's own. Defaults are applied later. */

import { boolean, string } from '@oclif/core/flags'
import { edgeadmJoinFlags } from './edgeadm.ts'
import { kubeadmJoinFlags } from './kubeadm.ts'

export const upgradePackageFlags = {
  'install-pkg-path': edgeadmJoinFlags['install-pkg-path'],
  'install-pkg-sha256': edgeadmJoinFlags['install-pkg-sha256'],
  'install-pkg-public-key': edgeadmJoinFlags['install-pkg-public-key'],
  'allow-downgrade': edgeadmJoinFlags['allow-downgrade'],
}

export const upgradePlanFlags = {
  ...upgradePackageFlags,
  'ignore-preflight-errors': kubeadmJoinFlags['ignore-preflight-errors'],
  patches: kubeadmJoinFlags.patches,
  drain: boolean({
    allowNo: true,
    description: 'Drain each node before its kubelet changes (default true).',
  }),
}

export const upgradeNodeFlags = {
  ...upgradePlanFlags,
  'certificate-renewal': boolean({
    allowNo: true,
    description: 'Renew the certificates of components that change (default true).',
  }),
  'etcd-upgrade': boolean({ allowNo: true, description: 'Upgrade etcd, too (default true).' }),
  'drain-timeout': string({
    helpValue: 'DURATION',
    description: 'How long Pods may take to leave the node, e.g. 5m (default 5m).',
  }),
  'skip-phases': kubeadmJoinFlags['skip-phases'],
  'dry-run': kubeadmJoinFlags['dry-run'],
}

export const upgradeApplyFlags = {
  ...upgradeNodeFlags,
  yes: boolean({
    char: 'y',
    description:
      'Do not ask, and lose what was edited by hand in static Pods (default: ask, and refuse that).',
  }),
}
