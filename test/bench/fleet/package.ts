/** A package for the benchmark: its programs are random bytes, and the files of a node's preparation are in it. */

import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { serializeManifest } from '../../../src/package/index.ts'
import { render } from '../../../src/templates.ts'

export interface BenchPackage {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly sha256: string
  /** The files of a node's preparation, on their own. */
  readonly filesDirectory: string
}

const JOIN = `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: master:6443
    token: abcdef.0123456789abcdef
    unsafeSkipCAVerification: true
nodeRegistration:
  name: NODE
`

/** @param mebibytes of programs */
export function makePackage(directory: string, mebibytes: number): BenchPackage {
  const bin = '/usr/local/bin'
  const files: Record<string, string> = {
    'config.toml': render('runtime/containerd-config.toml', {
      sandboxImage: 'registry.k8s.io/pause:3.10',
      runc: '/usr/local/sbin/runc',
    }),
    'containerd.service': render('runtime/containerd.service', {
      bin,
      proxyFile: '/etc/containerd/proxy.env',
    }),
    'kubelet.service': render('kubernetes/kubelet.service', { bin }),
    '10-kubeadm.conf': render('kubernetes/10-kubeadm.conf', { bin }),
    '10-bridge.conflist': render('edge/node/10-edgeadm.conflist', { subnet: '10.250.0.0/24' }),
    'modules.conf': 'overlay\nbr_netfilter\n',
    'sysctl.conf': 'net.bridge.bridge-nf-call-iptables = 1\nnet.ipv4.ip_forward = 1\n',
    'join.yaml': JOIN,
  }
  const contents = new Map<string, Buffer>([
    ...['kubeadm', 'kubelet', 'kubectl-real', 'containerd', 'edgecore'].map(
      (name) => [`bin/${name}`, randomBytes((mebibytes << 20) / 8)] as const,
    ),
    ...['bridge', 'host-local', 'portmap'].map(
      (name) => [`cni/${name}`, randomBytes((mebibytes << 20) / 8)] as const,
    ),
    ...Object.entries(files).map(([name, text]) => [`files/${name}`, Buffer.from(text)] as const),
  ])
  const manifest = {
    schema: 'edgeadm.io/package/v1alpha1',
    kubernetesVersion: 'v1.33.13',
    edgeVersion: '0.1.0',
    arch: process.arch === 'x64' ? ('amd64' as const) : ('arm64' as const),
    components: [{ name: 'bench', version: 'v1', licence: 'Apache-2.0', source: 'random bytes' }],
    images: [],
    files: [...contents].map(([path, content]) => ({
      path,
      size: content.length,
      mode: path.startsWith('files/') ? 0o644 : 0o755,
      sha256: createHash('sha256').update(content).digest('hex'),
      component: 'bench',
    })),
  }
  const root = join(directory, 'package')
  for (const [path, content] of [['manifest.json', serializeManifest(manifest)] as const, ...contents]) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content, {
      mode: path.startsWith('files/') || path === 'manifest.json' ? 0o644 : 0o755,
    })
  }
  const path = join(directory, 'package.tar')
  const names = ['manifest.json', ...contents.keys()]
  execFileSync('tar', ['-C', root, '--format=ustar', '--owner=0', '--group=0', '-cf', path, ...names])
  const content = readFileSync(path)
  return {
    path,
    size: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    filesDirectory: join(root, 'files'),
  }
}
