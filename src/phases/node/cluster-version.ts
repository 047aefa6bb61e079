import { compareVersions, parseVersion } from '../../config/versions.ts'
import { apiGet } from '../../kubernetes/api-request.ts'
import type { DiscoveredCluster } from '../../kubernetes/discovery.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { isControlPlane, type JoinContext } from '../context.ts'

/** A kubelet may be this many minors older than the API server. Source: https://kubernetes.io/releases/version-skew-policy/ */
const SKEW = 3
/** kubeadm's own name for it: cmd/kubeadm/app/preflight/checks.go. */
const CHECK = 'KubeletVersion'

/**
 * Whether a kubelet of this version may join a cluster of that version.
 * @returns undefined if it may, else a sentence
 */
export function kubeletProblem(kubelet: string, cluster: string): string | undefined {
  const [own, theirs] = [parseVersion(kubelet), parseVersion(cluster)]
  if (own === undefined || theirs === undefined || own.major !== theirs.major) return undefined
  const versions = `the cluster runs Kubernetes ${cluster}, and the package has ${kubelet}`
  if (own.minor > theirs.minor) return `${versions}: a kubelet must not be newer than the API server`
  if (theirs.minor - own.minor > SKEW)
    return `${versions}: a kubelet may be ${SKEW} minor versions older than the API server, not more`
  return undefined
}

/**
 * A worker's package against the cluster, before anything is changed. A further master has to have the very version of the
 * others: `control-plane-check`. Without a package kubeadm compares what is installed.
 * @throws EdgeadmError class `preflight`
 */
export async function checkClusterVersion(ctx: JoinContext, cluster: DiscoveredCluster): Promise<void> {
  const { settings, manifest, signal, emit } = ctx
  if (manifest === undefined || isControlPlane(settings)) return
  const version = await versionOf(cluster, settings.tlsBootstrapToken, signal)
  if (version === undefined) return
  const own = manifest.kubernetesVersion
  const problem = kubeletProblem(own, version)
  const ignored = settings.ignorePreflightErrors
  if (problem !== undefined && !ignored.includes('all') && !ignored.includes(CHECK.toLowerCase()))
    throw new EdgeadmError('preflight', `[ERROR ${CHECK}]: ${problem}`, {
      fix: `join with a package for Kubernetes ${version}`,
    })
  if (problem !== undefined || parseVersion(own)?.minor !== parseVersion(version)?.minor)
    emit({
      type: 'warning',
      text: problem ?? `this node will run Kubernetes ${own} in a cluster of ${version}`,
    })
  else if (compareVersions(own, version) !== 0)
    emit({
      type: 'output',
      text: `[discovery] This node will run ${own}, the cluster's API server runs ${version}`,
    })
}

/** Anybody may ask for it, unless anonymous requests are switched off; then the token may. */
async function versionOf(
  { server, caPem }: DiscoveredCluster,
  bearerToken: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { status, body } = await apiGet({
    url: `${server}/version`,
    caPem,
    signal,
    timeout: 10_000,
    ...(bearerToken === undefined ? {} : { bearerToken }),
  })
  // With a discovery file, credentials may be in it alone: kubeadm compares later on.
  if (status === 401 || status === 403) return undefined
  if (status !== 200) throw new EdgeadmError('discovery', `${server} answered HTTP ${status} for /version`)
  return (JSON.parse(body) as { gitVersion?: string }).gitVersion
}
