/** `edgeadm support-bundle`: what somebody needs to find out why a node is broken, in one file, without its secrets. */

import * as fs from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { create } from 'tar'
import type { Look } from '../host/host.ts'
import { STATE_DIRECTORY } from '../host/ledger.ts'
import { EDGECORE_CONFIG } from '../kubeedge/paths.ts'
import type { Reporting } from '../output/events.ts'
import { LOG_DIRECTORY } from '../output/log-file.ts'
import { redact } from '../output/redact.ts'
import { bytes } from '../output/text.ts'
import { diagnose } from '../phases/diagnose/index.ts'
import { DIRECTORY as LOAD_BALANCER } from '../phases/load-balancer/files.ts'
import { ctrPath } from '../phases/runtime/images.ts'
import { VERSION } from '../version.ts'
import { findCertificates } from './find-certificates.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'

/** Milliseconds for one command: an API server that hangs must not hold up the rest. */
const LIMIT = 20_000
/** Bytes of a file or an output, from its end. */
const MAXIMUM = 2 * 1024 * 1024

/** Which commands run, by the name of the file that gets their output. None of them prints Secrets. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'system/uname': ['uname', '-a'],
  'system/os-release': ['cat', '/etc/os-release'],
  'system/date': ['timedatectl'],
  'system/memory': ['free', '-m'],
  'system/disks': ['df', '-h'],
  'system/inodes': ['df', '-i'],
  'system/mounts': ['findmnt'],
  'system/processes': ['ps', '-eo', 'pid,ppid,stat,etime,rss,comm'],
  'system/kernel': ['dmesg', '--ctime'],
  'system/sysctl': ['sysctl', 'net.ipv4.ip_forward', 'net.bridge.bridge-nf-call-iptables'],
  'network/addresses': ['ip', 'address'],
  'network/routes': ['ip', 'route', 'show', 'table', 'all'],
  'network/listeners': ['ss', '-tulnp'],
  'network/nftables': ['nft', 'list', 'ruleset'],
  'network/iptables': ['iptables-save'],
  'units/failed': ['systemctl', '--failed', '--no-pager'],
  'units/status': [
    'systemctl',
    'status',
    '--no-pager',
    'kubelet',
    'containerd',
    'edgecore',
    'edgeadm-load-balancer',
  ],
  'units/kubelet': ['journalctl', '--no-pager', '-u', 'kubelet', '-n', '3000'],
  'units/containerd': ['journalctl', '--no-pager', '-u', 'containerd', '-n', '1500'],
  'units/edgecore': ['journalctl', '--no-pager', '-u', 'edgecore', '-n', '3000'],
  'units/load-balancer': ['journalctl', '--no-pager', '-u', 'edgeadm-load-balancer', '-n', '500'],
  'cluster/nodes': [...kubectl(), 'get', 'nodes', '-o', 'wide'],
  'cluster/nodes-described': [...kubectl(), 'describe', 'nodes'],
  'cluster/pods': [...kubectl(), 'get', 'pods', '-A', '-o', 'wide'],
  'cluster/workloads': [...kubectl(), 'get', 'deployments,daemonsets,statefulsets', '-A', '-o', 'wide'],
  'cluster/events': [...kubectl(), 'get', 'events', '-A', '--sort-by=.lastTimestamp'],
  'cluster/readyz': [...kubectl(), 'get', '--raw', '/readyz?verbose'],
}

function kubectl(): string[] {
  return ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', '--request-timeout=5s']
}

/** Files, and directories with the files directly in them. No keys, no kubeconfigs, no backups, no previous contents. */
const FILES = [
  '/etc/kubernetes/manifests',
  '/etc/containerd/config.toml',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/kubeadm-flags.env',
  '/etc/hosts',
  '/etc/resolv.conf',
  LOAD_BALANCER,
  EDGECORE_CONFIG,
  LOG_DIRECTORY,
  `${STATE_DIRECTORY}/kubeadm.yaml`,
  `${STATE_DIRECTORY}/journal.ndjson`,
  `${STATE_DIRECTORY}/ledger.ndjson`,
]

export async function supportBundle(output: string | undefined, reporting: Reporting): Promise<void> {
  requireLinuxRoot('support-bundle', false)
  const host = readOnlyHost(reporting)
  const time = new Date().toISOString()
  const name = `edgeadm-support-${hostname()}-${time.replaceAll(/[-:]|\.\d+/g, '')}`
  const target = resolve(output ?? `${name}.tar.gz`)
  const work = await fs.mkdtemp(join(dirname(target), '.edgeadm-support-'))
  try {
    const put = async (path: string, text: string): Promise<void> => {
      const file = join(work, name, path)
      await fs.mkdir(dirname(file), { recursive: true })
      await fs.writeFile(file, redact(text.length > MAXIMUM ? text.slice(-MAXIMUM) : text), { mode: 0o600 })
    }
    await put('about.json', `${JSON.stringify({ time, node: hostname(), edgeadm: VERSION }, null, 1)}\n`)
    await put('causes.txt', `${(await diagnose(host)).join('\n')}\n`)
    await put(
      'certificates.json',
      `${JSON.stringify(await findCertificates(host, reporting.signal), null, 1)}\n`,
    )
    for (const [path, [file = '', ...args]] of Object.entries({
      ...COMMANDS,
      ...(await containerCommands(host)),
    })) {
      const { stdout, stderr, exitCode } = await host.probe(file, args, { timeout: LIMIT })
      const head = `$ ${[file, ...args].join(' ')}\n`
      await put(`${path}.txt`, `${head}${stdout}\n${stderr}\n[exit code ${exitCode}]\n`)
    }
    for (const path of [...(await filesAt(host, FILES)), ...(await podLogs(host))]) {
      const text = await host.readFile(path)
      if (text !== undefined) await put(join('files', path), text)
    }
    await create({ cwd: work, file: target, gzip: true, portable: true, mode: 0o600 }, [name])
    await fs.chmod(target, 0o600)
    const { size } = await fs.stat(target)
    reporting.emit({
      type: 'result',
      text: `${target}: ${bytes(size)}. Keys, tokens and passwords are taken out; names, addresses and logs of Pods are in it.`,
      data: { path: target, size },
    })
  } finally {
    await fs.rm(work, { recursive: true, force: true })
  }
}

async function containerCommands(host: Look): Promise<Record<string, readonly string[]>> {
  const ctr = await ctrPath(host)
  return {
    'containers/tasks': [ctr, '-n', 'k8s.io', 'tasks', 'list'],
    'containers/containers': [ctr, '-n', 'k8s.io', 'containers', 'list'],
    'containers/images': [ctr, '-n', 'k8s.io', 'images', 'list'],
  }
}

async function filesAt(host: Look, paths: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) {
    const type = (await host.stat(path))?.type
    if (type === 'file') found.push(path)
    if (type !== 'directory') continue
    for (const name of await host.list(path))
      if ((await host.stat(join(path, name)))?.type === 'file') found.push(join(path, name))
  }
  return found
}

/** Of the cluster's own parts alone: what users' Pods write may be anybody's secret. */
const OWN = /^(?:kube-system|kube-flannel|kubeedge)_/

async function podLogs(host: Look): Promise<string[]> {
  const found: string[] = []
  for (const pod of (await host.list('/var/log/pods')).filter((one) => OWN.test(one)))
    for (const container of await host.list(join('/var/log/pods', pod)))
      found.push(
        ...(await filesAt(host, [join('/var/log/pods', pod, container)])).filter((path) =>
          path.endsWith('.log'),
        ),
      )
  return found
}
