/** The Pod by which edgeadm tries a node's network: a file for the kubelet, its processes, and what the kubelet said about it. */

import { randomUUID } from 'node:crypto'
import { parse } from 'yaml'
import type { Host } from '../../host/host.ts'
import { type Process, processes } from '../../host/processes.ts'
import type { NodeContext } from '../context.ts'
import { SANDBOX_SETTING } from '../runtime/sandbox-image.ts'
import { templateFile } from '../template-file.ts'

const KUBELET_CONFIG = '/var/lib/kubelet/config.yaml'
const POD = 'edgeadm-probe'

/** What the kubelet's configuration says, as far as Pods' DNS and static Pods go. */
export interface KubeletConfig {
  readonly staticPodPath?: string
  readonly clusterDNS?: readonly string[]
  readonly clusterDomain?: string
}

export async function kubeletConfig(host: Host): Promise<KubeletConfig> {
  return (parse((await host.readFile(KUBELET_CONFIG)) ?? '') ?? {}) as KubeletConfig
}

export interface ProbePod {
  readonly uid: string
  readonly path: string
}

/** Gives the kubelet the Pod. It replaces one of a run that was killed. */
export async function startProbePod(host: Host, directory: string, image: string): Promise<ProbePod> {
  const pod = { uid: randomUUID(), path: `${directory}/${POD}.yaml` }
  await templateFile(host, pod.path, 'kubernetes/probe-pod.yaml', { uid: pod.uid, image }, { mode: 0o600 })
  return pod
}

/** systemd's control groups are named with underscores, others with the UID as it is. */
export async function processesOf(host: Host, { uid }: ProbePod): Promise<Process[]> {
  const group = new RegExp(`pod(${uid}|${uid.replaceAll('-', '_')})\\b`)
  return (await processes(host)).filter(({ cgroup }) => group.test(cgroup))
}

/**
 * The pause image: the package's, or the one that containerd makes every Pod's sandbox from. Undefined with another
 * runtime and without a package.
 */
export async function pauseImage({ host, manifest }: NodeContext): Promise<string | undefined> {
  const packaged = manifest?.images.find(({ name }) => /\/pause:/.test(name))?.name
  return packaged ?? SANDBOX_SETTING.exec((await host.probe('containerd', ['config', 'dump'])).stdout)?.[1]
}

/** Why the kubelet cannot start the Pod, in the words of the runtime or the CNI plugin; undefined if it said nothing. */
export async function whyNotStarted(host: Host): Promise<string | undefined> {
  const since = `--since=@${Math.floor(performance.timeOrigin / 1000)}`
  const journal = await host.probe('journalctl', [
    ...['-b', since, '-u', 'kubelet', '-n', '1000', '--no-pager', '-o', 'cat'],
  ])
  return reasonIn(journal.stdout)
}

/** The last error about the Pod in the kubelet's journal, without the wrappers around it. */
export function reasonIn(journal: string): string | undefined {
  const line = journal.split('\n').findLast((one) => /^[EW]\d{4} /.test(one) && one.includes(POD))
  if (line === undefined) return undefined
  const error = /\berr="((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line.replace(/^[^\]]*\] /, '')
  const text = error.replace(/\\+"/g, '"')
  // gRPC puts its own words before the runtime's; the runtime names the sandbox by its hash.
  return (/.*\bdesc = (.*)/.exec(text)?.[1] ?? text)
    .replace(/failed to setup network for sandbox "[0-9a-f]+": /, '')
    .replace(/ sandbox "[0-9a-f]{64}"/, ' sandbox')
    .replace(/"+$/, '')
    .slice(0, 400)
}
