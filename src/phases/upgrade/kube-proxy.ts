/** kube-proxy in its new version, with the affinity that keeps it off edge nodes, in one update. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { awaitRollout, kubectlGet, replaceManifest } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { KUBEADM_ENV } from '../context.ts'
import { type DaemonSet, KUBEEDGE_LABEL, termsOff } from '../edge/affinity.ts'
import { ensureUnpacked } from '../package.ts'
import type { Phase } from '../workflow.ts'
import { apiServerVersions, type PodObject } from './cluster.ts'
import { type MasterUpgradeContext, NEW_KUBEADM } from './context.ts'

const SYSTEM = { namespace: 'kube-system' }
/** Milliseconds. */
const LIMIT = 300_000

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>
}

/** Names of masters whose API server is not new yet. */
export async function mastersBehind({ host, upgrade }: MasterUpgradeContext): Promise<string[]> {
  const pods = await kubectlGet<{ items: PodObject[] }>(
    host,
    ['pods', '-l', 'component=kube-apiserver'],
    SYSTEM,
  )
  return [...apiServerVersions(pods?.items ?? [])].flatMap(([node, version]) =>
    version === upgrade.to ? [] : [node],
  )
}

/** Add-ons come with the last master, as kubeadm has it (phases/upgrade/postupgrade.go, UnupgradedControlPlaneInstances). */
export async function onLastMaster(ctx: MasterUpgradeContext): Promise<true | string> {
  if (ctx.settings.dryRun) return true
  const behind = await mastersBehind(ctx)
  return behind.length === 0 || `with the last master: ${behind.join(', ')} not upgraded yet`
}

/**
 * kubeadm's own phase writes the DaemonSet without the affinity (phases/addons/proxy/proxy.go): the Pods would be on edge
 * nodes until somebody mends it. So kubeadm prints what it would write, and that is written with the affinity that is there.
 */
export const kubeProxy: Phase<MasterUpgradeContext> = {
  name: 'addon/kube-proxy',
  title: 'Upgrade kube-proxy, and keep it off edge nodes',
  runIf: onLastMaster,
  inputs: ({ upgrade }) => upgrade.to,
  verify: async ({ host, upgrade }) => {
    const live = await kubectlGet<WithImage>(host, ['daemonset', 'kube-proxy'], SYSTEM)
    return live?.spec.template.spec.containers[0]?.image.endsWith(`:${upgrade.to}`) === true
  },
  run: async (ctx) => {
    const { host, settings, emit } = ctx
    const live = settings.dryRun
      ? undefined
      : await kubectlGet<DaemonSet>(host, ['daemonset', 'kube-proxy'], SYSTEM)
    if (live === undefined) {
      emit({
        type: 'output',
        text: '[addon/kube-proxy] the cluster has no kube-proxy of kubeadm: nothing to do',
      })
      return
    }
    const printed = await printedObjects(ctx)
    await replaceManifest(host, 'kube-proxy', withAffinity(printed, live))
    await awaitRollout(host, 'daemonset/kube-proxy', { ...SYSTEM, timeout: LIMIT })
  },
}

interface WithImage {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { image: string }[] } }
  }
}

/** @param printed YAML documents of kubeadm's @returns the ConfigMap and the DaemonSet, the latter with the affinity of the live one */
export function withAffinity(printed: string, live: DaemonSet): string {
  const documents = parseAllDocuments(printed).filter((document) =>
    ['ConfigMap', 'DaemonSet'].includes(String(document.get('kind'))),
  )
  const daemonSet = documents.find((document) => document.get('kind') === 'DaemonSet')
  if (daemonSet === undefined || documents.length !== 2)
    throw new EdgeadmError('phase', 'kubeadm did not print the ConfigMap and the DaemonSet of kube-proxy')
  const terms = termsOff(live, KUBEEDGE_LABEL)
  const affinity =
    terms === undefined
      ? live.spec.template.spec.affinity
      : { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } }
  daemonSet.setIn(['spec', 'template', 'spec', 'affinity'], affinity)
  return documents.map((document) => stringify(document.toJS())).join('---\n')
}

/** `kubeadm init phase addon kube-proxy --print-manifest`, for the cluster's own configuration. */
async function printedObjects(ctx: MasterUpgradeContext): Promise<string> {
  const { host, settings, upgrade } = ctx
  await ensureUnpacked(ctx)
  const cluster = (await kubectlGet<ConfigMap>(host, ['configmap', 'kubeadm-config'], SYSTEM))?.data
    ?.ClusterConfiguration
  const proxy = (await kubectlGet<ConfigMap>(host, ['configmap', 'kube-proxy'], SYSTEM))?.data?.[
    'config.conf'
  ]
  if (cluster === undefined || proxy === undefined)
    throw new EdgeadmError('phase', 'ConfigMap kubeadm-config or kube-proxy in kube-system is gone', {
      fix: 'bring it back with `kubeadm init phase upload-config kubeadm --config …`, and run the same command again',
    })
  const init = stringify({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'InitConfiguration',
    localAPIEndpoint: { advertiseAddress: settings.advertiseAddress, bindPort: settings.bindPort },
    nodeRegistration: { name: settings.node.name, criSocket: settings.node.criSocket },
  })
  const directory = await mkdtemp('/run/edgeadm/upgrade-')
  try {
    const file = join(directory, 'kube-proxy.yaml')
    const versioned = cluster.replace(/^kubernetesVersion: .*$/m, `kubernetesVersion: ${upgrade.to}`)
    await writeFile(file, [init, versioned, proxy].join('\n---\n'), { mode: 0o600 })
    const args = ['init', 'phase', 'addon', 'kube-proxy', '--print-manifest', '--config', file]
    const { stdout, stderr, exitCode } = await host.probe(NEW_KUBEADM, args, { env: KUBEADM_ENV })
    if (exitCode !== 0)
      throw new EdgeadmError('phase', 'kubeadm cannot print the manifest of kube-proxy', {
        details: stderr.split('\n').slice(-8),
      })
    return stdout
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
