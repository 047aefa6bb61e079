/** What an upgrade has to know of the master that it begins on. Only looks. */

import { X509Certificate } from 'node:crypto'
import { dirname } from 'node:path'
import { parse } from 'yaml'
import type { Look } from '../../host/host.ts'
import { KUBEADM, kubectlGet } from '../../kubernetes/kubectl.ts'
import { ADMIN_CONF, KUBEADM_ENV } from '../context.ts'
import { availableBytes } from '../node/check-resources.ts'
import type { Machine } from './blockers.ts'

const MANIFESTS = '/etc/kubernetes/manifests'
const KUBEADM_PODS = [
  'etcd.yaml',
  'kube-apiserver.yaml',
  'kube-controller-manager.yaml',
  'kube-scheduler.yaml',
]
/** edgeadm's own, for several masters. */
const OWN_PODS = ['haproxy.yaml', 'keepalived.yaml']
const ETCD_DATA = '/var/lib/etcd'
/** Milliseconds. */
const SOON = 30 * 24 * 3600 * 1000

/** @param running the version of this master's API server: its kubeadm tells what was edited since */
export async function machineFacts(
  host: Look,
  nodeName: string,
  certDir: string,
  running: string,
): Promise<Machine> {
  const [edits, etcd, size, state, data, config, certificates] = await Promise.all([
    manualEdits(host, running),
    host.readFile(`${MANIFESTS}/etcd.yaml`),
    host.probe('du', ['--summarize', '--bytes', ETCD_DATA]),
    availableBytes(host, '/var/lib/edgeadm'),
    availableBytes(host, ETCD_DATA),
    kubectlGet<{ data?: { kubelet?: string } }>(host, ['configmap', 'kubelet-config', '-n', 'kube-system']),
    endingCertificates(host, certDir),
  ])
  const tag = /image: \S+\/etcd:v?(\d+\.\d+\.\d+)/.exec(etcd ?? '')?.[1]
  const kubelet = parse(config?.data?.kubelet ?? '{}') as { failCgroupV1?: boolean }
  return {
    nodeName,
    hasCgroup2: (await host.stat('/sys/fs/cgroup/cgroup.controllers')) !== undefined,
    allowsCgroup1: kubelet.failCgroupV1 === false,
    etcdVersion: tag === undefined ? undefined : `v${tag}`,
    strayManifests: (await host.list(MANIFESTS))
      .filter((name) => ![...KUBEADM_PODS, ...OWN_PODS].includes(name) && !name.startsWith('.'))
      .map((name) => `${MANIFESTS}/${name}`),
    manualEdits: edits,
    certificates,
    free: { state, etcd: data },
    etcdSize: Number(size.stdout.split(/\s/)[0]) || 0,
  }
}

/**
 * `kubeadm upgrade diff` for the version that runs: whatever differs was not written by kubeadm. It knows the three Pods
 * that kubeadm writes from ConfigMap kubeadm-config (not etcd's). Empty where this kubeadm is another one: a rerun.
 */
async function manualEdits(host: Look, running: string): Promise<string> {
  const { stdout: version } = await host.probe(KUBEADM, ['version', '-o', 'short'], { env: KUBEADM_ENV })
  if (version.trim() !== running) return ''
  const { stdout, exitCode } = await host.probe(
    KUBEADM,
    ['upgrade', 'diff', running, '--kubeconfig', ADMIN_CONF, '--context-lines', '1'],
    { env: KUBEADM_ENV },
  )
  if (exitCode !== 0) return ''
  // The lines of the diff alone: kubeadm says on the same stream what it reads.
  const lines = stdout.split('\n')
  const start = lines.findIndex((line) => line.startsWith('--- '))
  return start < 0 ? '' : lines.slice(start).join('\n').trim()
}

async function endingCertificates(host: Look, certDir: string): Promise<string[]> {
  const found: string[] = []
  for (const directory of [certDir, `${certDir}/etcd`])
    for (const name of await host.list(directory)) {
      if (!name.endsWith('.crt')) continue
      const ends = endOf(await host.readFile(`${directory}/${name}`))
      if (ends === undefined || ends - Date.now() > SOON) continue
      const kind = name === 'ca.crt' || name.endsWith('-ca.crt') ? 'CA' : 'certificate'
      found.push(
        `the ${kind} ${dirname(`${directory}/${name}`)}/${name} ends on ${new Date(ends).toISOString().slice(0, 10)}${kind === 'CA' ? ', and no upgrade renews it' : ': the upgrade renews it'}`,
      )
    }
  return found
}

function endOf(pem: string | undefined): number | undefined {
  try {
    return new X509Certificate(pem ?? '').validToDate.getTime()
  } catch {
    return undefined
  }
}
