/** What `edgeadm certs renew` does, in order. Each line is one file. */

import { adminCopy } from './certs/admin-copy.ts'
import { clock } from './certs/clock.ts'
import { cloudCoreCertificates } from './certs/cloudcore.ts'
import type { RenewContext } from './certs/context.ts'
import { renewByKubeadm } from './certs/kubeadm.ts'
import { kubeletClient, kubeletRestart, kubeletServer } from './certs/kubelet.ts'
import { restartPart } from './certs/static-pods.ts'
import type { Phase } from './workflow.ts'

/** Files first; then who uses them, one by one. A kubelet whose certificate has ended runs no static Pods, so it is the first. */
export const renewPhases: readonly Phase<RenewContext>[] = [
  clock,
  renewByKubeadm,
  kubeletServer,
  kubeletClient,
  kubeletRestart,
  restartPart('etcd'),
  restartPart('kube-apiserver'),
  restartPart('kube-controller-manager'),
  restartPart('kube-scheduler'),
  adminCopy,
  cloudCoreCertificates,
]
