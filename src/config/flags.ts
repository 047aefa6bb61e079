/** The flags of each command, in the order of its help. Command files take these tables as they are. */

import type { Interfaces } from '@oclif/core'
import { edgeadmInitFlags, edgeadmJoinFlags, edgeadmResetFlags } from './flags/edgeadm.ts'
import { kubeadmInitFlags, kubeadmJoinFlags, kubeadmResetFlags } from './flags/kubeadm.ts'

import type { upgradeApplyFlags } from './flags/upgrade.ts'

export { kubeadmTokenCreateFlags, kubeadmTokenFlags } from './flags/kubeadm.ts'
export { legacyFlags } from './flags/legacy.ts'
export { rewriteLegacyFlags } from './flags/rewrite-legacy.ts'
export {
  upgradeApplyFlags,
  upgradeNodeFlags,
  upgradePackageFlags,
  upgradePlanFlags,
} from './flags/upgrade.ts'

export const initFlags = { ...kubeadmInitFlags, ...edgeadmInitFlags }
export const joinFlags = { ...kubeadmJoinFlags, ...edgeadmJoinFlags }
export const resetFlags = { ...kubeadmResetFlags, ...edgeadmResetFlags }

/** What oclif hands over: only the flags that were given. */
export type InitFlags = Partial<Interfaces.InferredFlags<typeof initFlags>>
export type JoinFlags = Partial<Interfaces.InferredFlags<typeof joinFlags>>
export type ResetFlags = Partial<Interfaces.InferredFlags<typeof resetFlags>>
export type UpgradeFlags = Partial<Interfaces.InferredFlags<typeof upgradeApplyFlags>>
