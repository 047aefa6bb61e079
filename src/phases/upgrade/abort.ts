/** Back to before an upgrade of this master, as long as only the control plane and the cluster's settings were changed. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from '../../host/host.ts'
import { kubectlGet, replaceManifest } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { UNPACKED } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { BACKUP, COPIED } from './backup.ts'
import { apiServerVersions, type PodObject } from './cluster.ts'
import type { MasterUpgradeContext } from './context.ts'
import { uncordon } from './drain.ts'
import { awaitOwnApi } from './kubeadm.ts'
import { forgetState, removeKubeadmCopies, replaceFile } from './state.ts'

const MANIFESTS = '/etc/kubernetes/manifests'
/** etcd does not go back to an older version: its data is the new one's. The older API server works with it. */
const RESTORED = ['kube-apiserver.yaml', 'kube-controller-manager.yaml', 'kube-scheduler.yaml']
/** Milliseconds. */
const LIMIT = 240_000

/** As kubeadm had written it: in directories that are on record as kubeadm's, so that no record of its own is wanted. */
async function putBack(host: Host, path: string, content: string, mode: number): Promise<void> {
  if ((await host.readFile(path)) !== content) await replaceFile(path, content, mode)
}

const manifests: Phase<MasterUpgradeContext> = {
  name: 'abort/control-plane',
  title: 'Put the static Pods of the control plane back',
  run: async ({ host, emit }) => {
    for (const name of RESTORED) {
      const before = await host.readFile(join(BACKUP, 'manifests', name))
      if (before !== undefined) await putBack(host, `${MANIFESTS}/${name}`, before, 0o600)
    }
    const etcd = 'etcd.yaml'
    const [before, now] = await Promise.all([
      host.readFile(join(BACKUP, 'manifests', etcd)),
      host.readFile(`${MANIFESTS}/${etcd}`),
    ])
    if (before !== undefined && before !== now)
      emit({
        type: 'warning',
        text: `etcd stays at its new version, since its data cannot go back; the backup from before is in ${BACKUP}, for \`edgeadm restore\``,
      })
  },
}

const kubeletSettings: Phase<MasterUpgradeContext> = {
  name: 'abort/kubelet-config',
  title: "Put the kubelet's settings back",
  run: async ({ host }) => {
    for (const [name, path] of Object.entries(COPIED)) {
      if (name === 'manifests') continue
      const before = await host.readFile(join(BACKUP, name))
      if (before !== undefined) await putBack(host, path, before, 0o644)
    }
  },
}

const apiServer: Phase<MasterUpgradeContext> = {
  name: 'abort/api-server-ready',
  title: 'Wait for the API server',
  run: async (ctx) => {
    const { host, settings, upgrade, signal } = ctx
    await awaitCondition(`the API server to be ${upgrade.from} again`, LIMIT, signal, async () => {
      await awaitOwnApi(ctx)
      const pods = await kubectlGet<{ items: PodObject[] }>(
        host,
        ['pods', '-l', 'component=kube-apiserver'],
        {
          namespace: 'kube-system',
        },
      ).catch((error: unknown) => {
        if (error instanceof EdgeadmError) return undefined // on its way down or up
        throw error
      })
      const version = apiServerVersions(pods?.items ?? []).get(settings.node.name)
      return version === upgrade.from || `it is ${version ?? 'not there'}`
    })
  },
}

interface ConfigMap {
  readonly metadata: Record<string, unknown> & { readonly name: string; readonly namespace: string }
  readonly data?: Readonly<Record<string, string>>
}

const configMaps: Phase<MasterUpgradeContext> = {
  name: 'abort/upload-config',
  title: "Put the cluster's configuration back",
  run: async ({ host }) => {
    for (const name of ['kubeadm-config', 'kubelet-config']) {
      const text = await host.readFile(join(BACKUP, `${name}.json`))
      if (text === undefined) continue
      const { metadata, data } = JSON.parse(text) as ConfigMap
      const object = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        // Without its version: whatever is there now is replaced.
        metadata: { name: metadata.name, namespace: metadata.namespace },
        data,
      }
      await replaceManifest(host, `ConfigMap ${name}`, JSON.stringify(object))
    }
  },
}

const cleanUp: Phase<MasterUpgradeContext> = {
  name: 'abort/clean-up',
  title: 'Forget the upgrade',
  run: async ({ host }) => {
    await removeKubeadmCopies(host)
    await rm(UNPACKED, { recursive: true, force: true })
    await rm('/var/lib/edgeadm/upgrade.yaml', { force: true })
    await forgetState()
  },
}

export const abortPhases: readonly Phase<MasterUpgradeContext>[] = [
  manifests,
  kubeletSettings,
  apiServer,
  configMaps,
  uncordon,
  cleanUp,
]
