import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFileSystems } from '../../host/sync.ts'
import { stackedEtcd } from '../../kubernetes/etcd-members.ts'
import { kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import { createBackup } from '../backup/create.ts'
import type { Phase } from '../workflow.ts'
import { type MasterUpgradeContext, UPGRADE_DIRECTORY } from './context.ts'

/** What was here before the first change; for `upgrade abort`, and for people. */
export const BACKUP = `${UPGRADE_DIRECTORY}/before`

/** Directories and files, by their name in the copy. */
export const COPIED: Readonly<Record<string, string>> = {
  manifests: '/etc/kubernetes/manifests',
  'kubelet-config.yaml': '/var/lib/kubelet/config.yaml',
  'kubeadm-flags.env': '/var/lib/kubelet/kubeadm-flags.env',
}

/** ConfigMaps of kube-system that kubeadm's upgrade writes. */
export const CONFIG_MAPS = ['kubeadm-config', 'kubelet-config', 'kube-proxy', 'coredns'] as const

/**
 * A whole backup, for `edgeadm restore`; beside it what `upgrade abort` puts back by itself: manifests, the kubelet's settings
 * and kubeadm's ConfigMaps. The folder is root's alone, and stays until the next upgrade.
 */
export const backup: Phase<MasterUpgradeContext> = {
  name: 'upgrade/backup',
  title: 'Save etcd, certificates and settings',
  inputs: ({ upgrade }) => [upgrade.from, upgrade.to],
  verify: async ({ host }) => (await host.stat(join(BACKUP, 'complete'))) !== undefined,
  run: async ({ host, settings, emit, signal }) => {
    if (settings.dryRun) return
    // An interrupted run may have left a part; whole, it is what was before the first change, and stays.
    if ((await host.stat(join(BACKUP, 'complete'))) !== undefined) return
    await rm(BACKUP, { recursive: true, force: true })
    await mkdir(BACKUP, { recursive: true, mode: 0o700 })
    try {
      if ((await stackedEtcd(host)) === undefined) {
        await cp(settings.certDir, join(BACKUP, 'pki'), { recursive: true, preserveTimestamps: true })
        emit({
          type: 'warning',
          text: 'etcd is not on this master: its owner has to save it before an upgrade',
        })
      } else await createBackup(host, { directory: BACKUP, recipients: [] }, { emit, signal })
      for (const [name, path] of Object.entries(COPIED)) {
        const type = (await host.stat(path))?.type
        if (type === 'directory') await cp(path, join(BACKUP, name), { recursive: true })
        else if (type === 'file') await copyFile(path, join(BACKUP, name))
      }
      for (const name of CONFIG_MAPS) {
        const map = await kubectlGet(host, ['configmap', name, '-n', 'kube-system'])
        if (map !== undefined)
          await writeFile(join(BACKUP, `${name}.json`), JSON.stringify(map), { mode: 0o600 })
      }
      await writeFile(join(BACKUP, 'complete'), '')
    } catch (error) {
      signal.throwIfAborted()
      throw new EdgeadmError(
        'preflight',
        `what is here cannot be saved, so nothing was changed: ${messageOf(error)}`,
        {
          details: error instanceof EdgeadmError ? error.details : [],
          fix:
            (error instanceof EdgeadmError ? error.fix : undefined) ??
            'mend the cause and run the same command again',
          cause: error,
        },
      )
    }
    await syncFileSystems([BACKUP])
  },
}
