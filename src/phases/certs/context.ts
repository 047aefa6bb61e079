import type { FoundCertificate } from '../../kubernetes/node-certificates.ts'
import type { PhaseContext } from '../workflow.ts'

/** What the phases of `certs renew` are given. */
export interface RenewContext extends PhaseContext {
  readonly settings: {
    /** Names to renew; all of them are on this machine, or are CloudCore's. */
    readonly names: readonly string[]
    readonly ignorePreflightErrors: readonly string[]
    /** Secret. A bootstrap token, for a kubelet that no CA here can sign for. */
    readonly token: string | undefined
    readonly dryRun: boolean
  }
  readonly facts: RenewFacts
}

export interface RenewFacts {
  readonly nodeName: string | undefined
  /** The directory of kubeadm's certificates. */
  readonly pki: string
  readonly isMaster: boolean
  /** As they were before the run. */
  readonly found: readonly FoundCertificate[]
}

/** Parts of the control plane whose process reads these certificates once. */
export const USERS = {
  etcd: ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client'],
  'kube-apiserver': ['apiserver', 'apiserver-kubelet-client', 'apiserver-etcd-client', 'front-proxy-client'],
  'kube-controller-manager': ['controller-manager.conf'],
  'kube-scheduler': ['scheduler.conf'],
} as const

export type Part = keyof typeof USERS

/** Whether one of these is to be renewed. */
export const wants = ({ settings }: RenewContext, names: readonly string[]): boolean =>
  names.some((name) => settings.names.includes(name))

/** Names of CloudCore's certificates. */
export const CLOUDCORE = ['cloudcore-server', 'cloudcore-stream'] as const
