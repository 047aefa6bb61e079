/** What `edgeadm restore` does on a machine that is a master still; on another machine it is `init` with two more phases. */

import type { InitContext } from './context.ts'
import { initPhases } from './init.ts'
import type { OpenBackup, RestoreContext } from './restore/context.ts'
import { etcdData, startControlPlane, stopControlPlane } from './restore/control-plane.ts'
import { restoreEtcdData } from './restore/etcd-data.ts'
import { putBackPki, ROOTS, restorePki } from './restore/pki.ts'
import { inBackground, type Phase } from './workflow.ts'

export const restorePhases: readonly Phase<RestoreContext>[] = [
  stopControlPlane,
  restorePki,
  etcdData,
  startControlPlane,
]

/** CAs and keys before kubeadm would make others; the data before the kubelet starts etcd. */
export function initFromBackup(backup: OpenBackup): readonly Phase<InitContext>[] {
  const roots: Phase<InitContext> = {
    name: 'restore/pki',
    title: "Put back the cluster's CAs and keys",
    run: async ({ host, settings }) => {
      await host.claim(settings.certDir)
      await putBackPki(host, backup, settings.certDir, ROOTS)
    },
  }
  const data: Phase<InitContext> = {
    name: 'restore/etcd',
    title: 'Restore the data of etcd',
    runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
    // A second run finds a store that is at work: the first one's journal says that it is the restored one.
    verify: async ({ host }) => (await host.stat('/var/lib/etcd/member')) !== undefined,
    run: async ({ host }) => {
      await host.claim('/var/lib/etcd')
      await restoreEtcdData(host, backup, false)
    },
  }
  return initPhases.flatMap((phase) => {
    if (phase.name === 'certs') return [roots, phase]
    if (phase.name === 'kubelet-start') return [data, phase]
    // etcdutl comes out of an image.
    if (phase.name === 'runtime/images') return [inBackground(phase, data)]
    return [phase]
  })
}
