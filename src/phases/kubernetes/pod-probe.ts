import { basename } from 'node:path'
import type { Host } from '../../host/host.ts'
import { ownExecutable } from '../../host/own-executable.ts'
import type { Process } from '../../host/processes.ts'
import { kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { ADMIN_CONF, isControlPlane, KUBELET_CONF, type NodeContext } from '../context.ts'
import { type Phase, trustJournal } from '../workflow.ts'
import { whyDnsIsSilent } from './dns-cause.ts'
import {
  type KubeletConfig,
  kubeletConfig,
  type ProbePod,
  pauseImage,
  processesOf,
  startProbePod,
  whyNotStarted,
} from './probe-pod.ts'

/** Milliseconds for the Pod to start. The kubelet tries again after a failure with pauses of up to a minute. */
const START_LIMIT = 120_000
/** Milliseconds for its processes to end once its file is gone. */
const END_LIMIT = 60_000
/** Seconds for cluster DNS. CoreDNS starts once the first node is Ready, and is asked for its readiness every 10 s. */
const DNS_LIMIT = 120

/**
 * A node is done when a Pod on it has a network and an answer of cluster DNS. The Pod is a file for the kubelet, since a
 * joining node may not create Pods; the question is asked by edgeadm itself in the Pod's network namespace, since no image
 * that every node has holds a DNS client.
 */
export const podProbe: Phase<NodeContext> = {
  name: 'pod-probe',
  title: 'Try the network of Pods and cluster DNS',
  runIf: async (ctx) => {
    if (ctx.settings.dryRun) return 'nothing was changed'
    if (ctx.settings.cni === 'none') return 'a CNI plugin is still to be installed (--cni=none)'
    if ((await kubeletConfig(ctx.host)).staticPodPath === undefined)
      return "the kubelet's configuration has no staticPodPath"
    return (await pauseImage(ctx)) === undefined ? 'no pause image is known' : true
  },
  verify: trustJournal,
  run: async (ctx) => {
    const { host } = ctx
    const config = await kubeletConfig(host)
    const pod = await startProbePod(host, config.staticPodPath ?? '', (await pauseImage(ctx)) ?? '')
    try {
      const pid = await awaitStart(ctx, pod)
      const server = await clusterDns(ctx, config)
      if (server !== undefined) await askFrom(ctx, pid, server, config.clusterDomain ?? 'cluster.local')
    } finally {
      await host.remove(pod.path)
    }
    await awaitCondition('the Pod that tried the network to end', END_LIMIT, ctx.signal, async () => {
      return (await processesOf(host, pod)).length === 0
    })
  },
}

const isPause = ({ command }: Process): boolean => basename(command[0] ?? '') === 'pause'

const SKIP = 'mend that and run the same command again, or leave this out with --skip-phases=pod-probe'

/**
 * The runtime starts a Pod's processes once the CNI plugin has given it a network: one process is enough. runc's own, which
 * is in the Pod's control group before the program, ends at once.
 */
async function awaitStart({ host, signal, settings }: NodeContext, pod: ProbePod): Promise<number> {
  let pid = 0
  try {
    await awaitCondition('a Pod to start', START_LIMIT, signal, async () => {
      pid = (await processesOf(host, pod)).find(isPause)?.pid ?? 0
      return pid !== 0
    })
    return pid
  } catch (error) {
    if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
    const why = (await whyNotStarted(host)) ?? 'the kubelet has not said why: `journalctl -u kubelet`'
    throw new EdgeadmError('timeout', `${settings.node.name} is Ready, but Pods do not start on it: ${why}`, {
      fix: SKIP,
      cause: error,
    })
  }
}

/** Undefined: this cluster has no DNS of Kubernetes' own name, or the user left it out, or what leads to Services. */
async function clusterDns(ctx: NodeContext, { clusterDNS }: KubeletConfig): Promise<string | undefined> {
  const leftOut = ['addon/coredns', 'addon/kube-proxy'].some((name) => ctx.skips(name))
  if (ctx.settings.command === 'init' && leftOut) return undefined
  // Nodes may read Services (the role system:node).
  const kubeconfig = isControlPlane(ctx.settings) ? ADMIN_CONF : KUBELET_CONF
  const service = await kubectlGet(ctx.host, ['service', '-n', 'kube-system', 'kube-dns'], { kubeconfig })
  return service === undefined ? undefined : clusterDNS?.[0]
}

async function askFrom(ctx: NodeContext, pid: number, server: string, domain: string): Promise<void> {
  const { host, settings } = ctx
  const name = `kubernetes.default.svc.${domain}`
  const answer = await inNetworkOf(host, pid, [
    ...['check', 'dns', name, `--server=${server}`, `--timeout=${DNS_LIMIT}`],
  ])
  if (answer.exitCode === 0) return
  const said = /^error: (.*)$/m.exec(answer.stderr)?.[1] ?? answer.stderr.trim()
  const why = await whyDnsIsSilent(ctx)
  throw new EdgeadmError(
    'timeout',
    `Pods on ${settings.node.name} have a network, but no cluster DNS: ${why ?? said}`,
    { details: why === undefined ? [] : [said], fix: SKIP },
  )
}

function inNetworkOf(host: Host, pid: number, args: readonly string[]): ReturnType<Host['probe']> {
  const timeout = (DNS_LIMIT + 30) * 1000
  return host.probe('nsenter', ['--net', `--target=${pid}`, ...ownExecutable(), ...args], { timeout })
}
