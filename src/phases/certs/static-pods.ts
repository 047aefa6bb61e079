/** Parts of the control plane are restarted one by one; each has to work, and to show its new certificate, before the next. */

import type { Look } from '../../host/host.ts'
import { healthOf } from '../../kubernetes/etcd.ts'
import { ownMember, stackedEtcd } from '../../kubernetes/etcd-members.ts'
import { parseCertificate } from '../../kubernetes/expiry.ts'
import { staticPodFlags } from '../../kubernetes/static-pod.ts'
import { ask } from '../../network/request.ts'
import { servedCertificate } from '../../network/served-certificate.ts'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { diagnose } from '../diagnose/index.ts'
import { ctrPath } from '../runtime/images.ts'
import type { Phase } from '../workflow.ts'
import { type Part, type RenewContext, USERS, wants } from './context.ts'

/** Milliseconds. An API server that is ended finishes its requests first. */
const LIMIT = 300_000
const CONTAINERD = ['--namespace', 'k8s.io']
const LOOPBACK = '127.0.0.1'

const TITLES: Readonly<Record<Part, string>> = {
  etcd: 'Restart etcd',
  'kube-apiserver': 'Restart the API server',
  'kube-controller-manager': 'Restart the controller manager',
  'kube-scheduler': 'Restart the scheduler',
}

export const restartPart = (part: Part): Phase<RenewContext> => ({
  name: `certs/${part}`,
  title: TITLES[part],
  runIf: async (ctx) => {
    if (!wants(ctx, USERS[part])) return 'its certificates are as they were'
    if ((await ctx.host.stat(`/etc/kubernetes/manifests/${part}.yaml`)) === undefined)
      return 'it does not run here'
    return true
  },
  run: async ({ host, settings, signal }) => {
    const before = await runningContainers(host, part)
    const ctr = await ctrPath(host)
    for (const id of before)
      await host.run(ctr, [...CONTAINERD, 'tasks', 'kill', '--signal', 'SIGTERM', id], {
        title: `end the container ${id.slice(0, 12)} of ${part}`,
        undo: null,
        // It may have ended by itself meanwhile.
        okExitCodes: [0, 1],
      })
    // One that failed and waits: the kubelet starts it at once when it starts itself.
    if (before.length === 0)
      await host.run('systemctl', ['restart', 'kubelet.service'], {
        title: 'restart the kubelet',
        undo: null,
      })
    if (settings.dryRun) return
    try {
      await awaitCondition(`${part} to work with its new certificates`, LIMIT, signal, async () => {
        const now = (await runningContainers(host, part)).filter((id) => !before.includes(id))
        if (now.length === 0) return 'its container was not started again yet'
        return CHECKS[part](host, signal)
      })
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', error.message, {
        details: [...error.details, ...(await diagnose(host))],
        fix: 'mend the cause and run the same command again',
      })
    }
  },
})

type Check = (host: Look, signal: AbortSignal) => Promise<true | string>

const CHECKS: Readonly<Record<Part, Check>> = {
  etcd: async (host, signal) => {
    const flags = await staticPodFlags(host, 'etcd')
    const peer = new URL(flags?.get('initial-advertise-peer-urls') ?? 'https://127.0.0.1:2380')
    for (const [address, port, file] of [
      [LOOPBACK, 2379, flags?.get('cert-file')],
      [peer.hostname.replace(/^\[|\]$/g, ''), Number(peer.port), flags?.get('peer-cert-file')],
    ] as const) {
      const shown = await showsFile(host, address, port, file, signal)
      if (shown !== true) return shown
    }
    const etcd = await stackedEtcd(host)
    const own = etcd && (await ownMember(host, etcd.members))
    if (etcd === undefined || own === undefined) return 'it does not answer yet'
    const { unhealthy } = await healthOf([own], etcd.credentials)
    return unhealthy.length === 0 || (unhealthy[0]?.problem ?? '')
  },
  'kube-apiserver': async (host, signal) => {
    const flags = await staticPodFlags(host, 'kube-apiserver')
    const port = Number(flags?.get('secure-port') ?? 6443)
    const shown = await showsFile(host, LOOPBACK, port, flags?.get('tls-cert-file'), signal)
    return shown === true ? answers(port, '/readyz', signal) : shown
  },
  'kube-controller-manager': (_, signal) => answers(10257, '/healthz', signal),
  'kube-scheduler': (_, signal) => answers(10259, '/readyz', signal),
}

/** Whether a server shows the certificate that is in the file. */
async function showsFile(
  host: Look,
  address: string,
  port: number,
  file: string | undefined,
  signal: AbortSignal,
): Promise<true | string> {
  const wanted = parseCertificate(await host.readFile(file ?? ''))?.serialNumber
  try {
    const shown = (await servedCertificate(address, port, signal)).serialNumber
    return shown === wanted || `${address}:${port} shows the certificate ${shown}, and ${file} is ${wanted}`
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(error)
  }
}

/** Loopback, whoever signed: the certificate itself was looked at before, or is made anew at each start. */
async function answers(port: number, path: string, signal: AbortSignal): Promise<true | string> {
  try {
    const { status, body } = await ask({
      url: `https://${LOOPBACK}:${port}${path}`,
      caPem: undefined,
      timeout: 3000,
      signal,
    })
    return status === 200 || `HTTP ${status}: ${body.slice(0, 200)}`
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(error)
  }
}

async function runningContainers(host: Look, part: Part): Promise<string[]> {
  const ctr = await ctrPath(host)
  const filter = `labels."io.kubernetes.container.name"==${part},labels."io.kubernetes.pod.namespace"==kube-system`
  const own = new Set(
    (await host.probe(ctr, [...CONTAINERD, 'containers', 'list', '--quiet', filter])).stdout.split('\n'),
  )
  const tasks = (await host.probe(ctr, [...CONTAINERD, 'tasks', 'list'])).stdout
  return tasks.split('\n').flatMap((line) => {
    const [id = '', , status] = line.trim().split(/\s+/)
    return status === 'RUNNING' && own.has(id) ? [id] : []
  })
}
