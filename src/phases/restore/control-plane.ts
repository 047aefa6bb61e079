import type { Look } from '../../host/host.ts'
import { awaitNodeReady } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { awaitReadyApi } from '../await-api.ts'
import { diagnose } from '../diagnose/index.ts'
import { ctrPath } from '../runtime/images.ts'
import type { Phase } from '../workflow.ts'
import type { RestoreContext } from './context.ts'
import { restoreEtcdData } from './etcd-data.ts'

const KUBELET = 'kubelet.service'
const PARTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']
const CONTAINERD = ['--namespace', 'k8s.io']
/** Milliseconds. */
const STOP_LIMIT = 60_000
const STOP_INTERVAL = 1000
const API_LIMIT = 240_000
const NODE_LIMIT = 180_000

/** Without the kubelet nobody starts the static Pods again. Pods of users run on. */
export const stopControlPlane: Phase<RestoreContext> = {
  name: 'restore/stop',
  title: 'Stop the control plane of this master',
  run: async ({ host, settings, signal }) => {
    await host.run('systemctl', ['stop', KUBELET], { title: 'stop the kubelet', undo: null })
    if (settings.dryRun) return
    const ctr = await ctrPath(host)
    await awaitCondition(
      'the control plane to end',
      STOP_LIMIT,
      signal,
      async () => {
        const running = await runningParts(host)
        for (const id of running)
          await host.run(ctr, [...CONTAINERD, 'tasks', 'kill', '--signal', 'SIGTERM', id], {
            title: `end the container ${id.slice(0, 12)}`,
            undo: null,
            okExitCodes: [0, 1],
          })
        if (running.length === 0) return true
        return `still there: ${running.map((id) => id.slice(0, 12)).join(', ')}`
      },
      STOP_INTERVAL,
    )
  },
}

async function runningParts(host: Look): Promise<string[]> {
  const ctr = await ctrPath(host)
  const filters = PARTS.map(
    (part) =>
      `labels."io.kubernetes.container.name"==${part},labels."io.kubernetes.pod.namespace"==kube-system`,
  )
  const list = await host.probe(ctr, [...CONTAINERD, 'containers', 'list', '--quiet', ...filters])
  const own = new Set(list.stdout.split('\n'))
  const tasks = (await host.probe(ctr, [...CONTAINERD, 'tasks', 'list'])).stdout
  return tasks.split('\n').flatMap((line) => {
    const [id = '', , status] = line.trim().split(/\s+/)
    return status === 'RUNNING' && own.has(id) ? [id] : []
  })
}

export const etcdData: Phase<RestoreContext> = {
  name: 'restore/etcd',
  title: 'Restore the data of etcd',
  run: ({ host, backup, settings }) => restoreEtcdData(host, backup, settings.dryRun),
}

export const startControlPlane: Phase<RestoreContext> = {
  name: 'restore/start',
  title: 'Start the control plane again',
  run: async ({ host, settings, facts, signal }) => {
    await host.run('systemctl', ['start', KUBELET], { title: 'start the kubelet', undo: null })
    if (settings.dryRun) return
    try {
      const caPem = await host.readFile(`${facts.pki}/ca.crt`)
      const question = {
        what: "this master's API server",
        endpoint: facts.apiServer,
        caPem,
        limit: API_LIMIT,
      }
      await awaitReadyApi(question, signal)
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', error.message, {
        details: [...error.details, ...(await diagnose(host))],
        fix: 'mend the cause and run the same command again',
      })
    }
    await awaitNodeReady(host, facts.nodeName, { timeout: NODE_LIMIT, diagnose: () => diagnose(host) })
  },
}
