import type { InitSettings, JoinSettings } from '../../config/types.ts'
import { STATE_DIRECTORY } from '../../host/ledger.ts'
import { ADMIN_CONF, KUBELET_CONF, type NodeContext, UNPACKED } from '../context.ts'

/** What an upgrade keeps until it is through: the copy taken before the first change, and how far it came. */
export const UPGRADE_DIRECTORY = `${STATE_DIRECTORY}/upgrade`

/** The new kubeadm, out of the unpacked package: nothing of it is in its place before the control plane is new. */
export const NEW_KUBEADM = `${UNPACKED}/bin/kubeadm`

export interface UpgradeOptions {
  /** Of this upgrade; a run that goes on has that of the first one. */
  readonly id: string
  /** `apply`: the first master, with what the cluster as a whole needs. `node`: every other machine. */
  readonly workflow: 'apply' | 'node'
  /** What runs here now, with its "v". */
  readonly from: string
  /** The package's, with its "v". */
  readonly to: string
  /** `--drain`: Pods leave the node before its kubelet changes. */
  readonly drain: boolean
  /** Milliseconds. */
  readonly drainTimeout: number
  readonly renewCertificates: boolean
  readonly upgradeEtcd: boolean
}

/** What the phases of `upgrade` are given, beside what those of `init` and `join` get: many of them are the same. */
export interface UpgradeContext extends NodeContext {
  readonly settings: InitSettings | JoinSettings
  readonly upgrade: UpgradeOptions
}

/** On a master. */
export interface MasterUpgradeContext extends UpgradeContext {
  readonly settings: InitSettings
}

/** A master has the administrator's credentials, another node its kubelet's. */
export const kubeconfigOf = ({ settings }: UpgradeContext): string =>
  settings.role === 'master' ? ADMIN_CONF : KUBELET_CONF
