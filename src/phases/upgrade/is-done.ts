/** Whether a node has all of a package already: then an upgrade to it changes nothing. */

import type { Look } from '../../host/host.ts'
import { kubectlGet } from '../../kubernetes/kubectl.ts'
import type { PackageManifest } from '../../package/index.ts'
import { BIN, INSTALLED_PACKAGE } from '../context.ts'
import { apiServerVersions, type PodObject } from './cluster.ts'

interface Workload {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } }
  }
}

/** The very package: what it put here is noted at the end of a run that went through. */
export async function hasPackage(host: Look, manifest: PackageManifest): Promise<boolean> {
  return (await host.readFile(INSTALLED_PACKAGE)) === `${JSON.stringify(manifest)}\n`
}

/** Of the program, whatever runs; undefined: there is none that works. */
export async function kubeletVersion(host: Look): Promise<string | undefined> {
  const { stdout } = await host.probe(`${BIN}/kubelet`, ['--version'])
  return /v\d+\.\d+\.\d+\S*/.exec(stdout)?.[0]
}

/** What the cluster has once for all nodes; another version in `to` is what a further master or the last one changes. */
export async function clusterIsAt(host: Look, to: string): Promise<boolean> {
  const system = { namespace: 'kube-system' }
  const [config, pods, proxy] = await Promise.all([
    kubectlGet<{ data?: { ClusterConfiguration?: string } }>(host, ['configmap', 'kubeadm-config'], system),
    kubectlGet<{ items: PodObject[] }>(host, ['pods', '-l', 'component=kube-apiserver'], system),
    kubectlGet<Workload>(host, ['daemonset', 'kube-proxy'], system),
  ])
  if (/^kubernetesVersion: (\S+)$/m.exec(config?.data?.ClusterConfiguration ?? '')?.[1] !== to) return false
  // The add-ons come with the last master, and not every cluster has kube-proxy.
  const isLast = [...apiServerVersions(pods?.items ?? []).values()].every((version) => version === to)
  const image = proxy?.spec.template.spec.containers[0]?.image
  return !isLast || image === undefined || image.endsWith(`:${to}`)
}
