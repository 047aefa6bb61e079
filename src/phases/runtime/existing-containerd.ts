import type { Look } from '../../host/host.ts'

export type ExistingContainerd =
  | { readonly state: 'none' }
  /** Runs, speaks CRI, and uses systemd's cgroups: kept as it is. */
  | { readonly state: 'suitable'; readonly version: string }
  /** There, but Kubernetes cannot use it; the reasons, each a sentence with its remedy. */
  | { readonly state: 'unsuitable'; readonly problems: readonly string[] }

const SOCKET = '/run/containerd/containerd.sock'

/** What containerd this machine has that edgeadm did not put there. Only looks. */
export async function existingContainerd(host: Look): Promise<ExistingContainerd> {
  const version = /\sv?(\d+\.\d+\.\d+\S*)/.exec((await host.probe('containerd', ['--version'])).stdout)?.[1]
  const running = (await host.stat(SOCKET)) !== undefined
  if (version === undefined && !running) return { state: 'none' }
  const problems: string[] = []
  if (version !== undefined && Number(version.split('.')[0]) < 2 && !version.startsWith('1.7.')) {
    problems.push(`containerd ${version} is too old: 1.7 or later is needed`)
  }
  if (!running) problems.push(`containerd is installed but does not run: \`systemctl start containerd\``)
  const config = (await host.probe('containerd', ['config', 'dump'])).stdout
  if (/disabled_plugins = \[[^\]]*cri/.test(config)) {
    problems.push(
      'containerd runs with its CRI plugin disabled: remove "cri" from disabled_plugins in /etc/containerd/config.toml and restart it',
    )
  }
  if (!/SystemdCgroup = true/.test(config)) {
    problems.push(
      'containerd does not use systemd cgroups: set SystemdCgroup = true in the runc options of /etc/containerd/config.toml and restart it',
    )
  }
  return problems.length > 0
    ? { state: 'unsuitable', problems }
    : { state: 'suitable', version: version ?? 'unknown' }
}
