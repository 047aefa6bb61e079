import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { FACTS_CONFIG_MAP, FACTS_KEY, NAMESPACE, parseClusterFacts } from '../../kubeedge/cluster-facts.ts'
import { changeCluster, kubectlGet } from '../../kubernetes/kubectl.ts'
import type { PackageManifest } from '../../package/index.ts'
import { INSTALLED_PACKAGE, KUBEADM_CONFIG } from '../context.ts'
import { Journal } from '../journal.ts'
import { unpinImages } from '../runtime/images.ts'
import type { Phase } from '../workflow.ts'
import { BACKUP } from './backup.ts'
import { type MasterUpgradeContext, UPGRADE_DIRECTORY, type UpgradeContext } from './context.ts'
import { onLastMaster } from './kube-proxy.ts'
import { removeKubeadmCopies } from './state.ts'

/** What `init`, or an upgrade, last installed of KubeEdge; undefined: no cloud side. */
export async function kubeEdgeOf(host: UpgradeContext['host']): Promise<string | undefined> {
  const map = await kubectlGet<{ data?: Record<string, string> }>(host, ['configmap', FACTS_CONFIG_MAP], {
    namespace: NAMESPACE,
  })
  return parseClusterFacts(map?.data?.[FACTS_KEY])?.kubeEdgeVersion
}

/** Joins compare their package with it. */
export const clusterFacts: Phase<MasterUpgradeContext> = {
  name: 'edge/facts',
  title: 'Tell edge nodes that join the new version',
  runIf: async (ctx) => {
    if (ctx.settings.dryRun) return 'the cluster is asked then'
    return ctx.settings.cloudSide ? onLastMaster(ctx) : 'the cluster has no cloud side'
  },
  run: async ({ host, upgrade }) => {
    const options = { namespace: NAMESPACE }
    const map = await kubectlGet<{ data?: Record<string, string> }>(
      host,
      ['configmap', FACTS_CONFIG_MAP],
      options,
    )
    const facts = parseClusterFacts(map?.data?.[FACTS_KEY])
    if (facts === undefined || facts.kubernetesVersion === upgrade.to) return
    const text = JSON.stringify({ ...facts, kubernetesVersion: upgrade.to })
    const patch = JSON.stringify({ data: { [FACTS_KEY]: text } })
    const args = ['patch', 'configmap', FACTS_CONFIG_MAP, '--type=merge', '-p', patch]
    await changeCluster(host, `tell edge nodes Kubernetes ${upgrade.to}`, args, options)
  },
}

/**
 * Later runs of `init phase` and `join phase` go by what is on record here: the version in kubeadm's file and in the journal.
 * Without it they would take the new package for a change of the node in the middle of its life.
 */
export const recordVersion: Phase<UpgradeContext> = {
  name: 'upgrade/record',
  title: 'Record the new version',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  run: async (ctx) => {
    const { host, settings } = ctx
    const text = await host.readFile(KUBEADM_CONFIG)
    const documents = text === undefined ? [] : parseAllDocuments(text)
    const cluster = documents.find((document) => document.get('kind') === 'ClusterConfiguration')
    if (cluster !== undefined) {
      cluster.set('kubernetesVersion', settings.kubernetesVersion)
      const changed = documents.map((document) => document.toString({ lineWidth: 0 })).join('---\n')
      await host.writeFile(KUBEADM_CONFIG, changed, { mode: 0o600, secret: true })
    }
    await Journal.changeSettings({ '--kubernetes-version': settings.kubernetesVersion })
    await unpinImages(host, await earlierImages(ctx))
    await removeKubeadmCopies(host)
  },
}

/** Names of images of the package that was here, which the new one lacks. */
async function earlierImages({ host, manifest }: UpgradeContext): Promise<string[]> {
  const text = await host.readFile(INSTALLED_PACKAGE)
  const earlier = text === undefined ? [] : (JSON.parse(text) as PackageManifest).images
  const now = new Set(manifest?.images.map(({ name }) => name))
  return earlier.map(({ name }) => name).filter((name) => !now.has(name))
}

/** The saved copy stays until the next upgrade; what says that one is under way goes. */
export const finish: Phase<UpgradeContext> = {
  name: 'upgrade/finish',
  title: 'End the upgrade',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  run: async ({ host }) => {
    for (const name of await host.list(UPGRADE_DIRECTORY))
      if (join(UPGRADE_DIRECTORY, name) !== BACKUP)
        await rm(join(UPGRADE_DIRECTORY, name), { recursive: true })
    await rm('/var/lib/edgeadm/upgrade.yaml', { force: true })
    // The next upgrade makes its own: this one is no longer "complete" for it.
    await rm(join(BACKUP, 'complete'), { force: true })
  },
}
