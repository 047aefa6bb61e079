import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { InitFlags } from '../../src/config/flags.ts'
import { resolveInit, resolveJoin, resolveReset } from '../../src/config/load.ts'
import {
  initDocuments,
  joinDocuments,
  resetDocuments,
  withoutSecrets,
} from '../../src/kubernetes/kubeadm-config.ts'
import { input, versionsOf } from '../config/fixtures.ts'
import { findKubeadm } from './real-kubeadm.ts'

const TOKEN = 'abcdef.0123456789abcdef'
const HASH = `sha256:${'0a'.repeat(32)}`
type Documents = Record<string, Record<string, unknown>>

function read(text: string | undefined): Documents {
  const documents = parseAllDocuments(text ?? '', { version: '1.1' }) as { toJS(): { kind: string } }[]
  return Object.fromEntries(
    documents.map((one) => one.toJS()).map((one) => [one.kind, one]),
  ) as unknown as Documents
}
const init = (flags: InitFlags = {}, yaml?: string, version = 'v1.33.13') =>
  initDocuments(resolveInit({ ...input(flags, yaml), versions: versionsOf(version) }))

const USER = `
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
dryRun: true
skipPhases: [certs]
bootstrapTokens:
- description: mine
  expires: "2099-01-01T00:00:00Z"
- token: zzzzzz.0123456789abcdef
nodeRegistration:
  imagePullPolicy: Never
  kubeletExtraArgs:
  - {name: v, value: "4"}
  - {name: node-labels, value: "a=1,b=2"}
timeouts: {kubeletHealthCheck: 2m0s}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: mine
etcd: {local: {dataDir: /data/etcd}}
unknownField: kept
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failSwapOn: false
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: {maxPerCore: 0, min: 0}
`

it('writes every setting into the documents', () => {
  const documents = read(
    init({
      token: TOKEN,
      'token-ttl': '2h',
      'node-taints': ['a=b:NoSchedule'],
      'ignore-preflight-errors': ['Swap'],
      'apiserver-cert-extra-sans': ['api.example', '10.9.9.9'],
      'feature-gates': 'A=true',
      'upload-certs': true,
      'certificate-key': 'ab'.repeat(32),
      'control-plane-endpoint': 'api.example:8443',
      patches: '/patches',
    }),
  )
  expect(documents.InitConfiguration).toEqual({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'InitConfiguration',
    bootstrapTokens: [{ token: TOKEN, ttl: '2h0m0s' }],
    nodeRegistration: {
      name: 'master-1',
      criSocket: 'unix:///run/containerd/containerd.sock',
      taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }],
      ignorePreflightErrors: ['swap'],
      kubeletExtraArgs: [{ name: 'node-ip', value: '10.0.0.10' }],
    },
    patches: { directory: '/patches' },
    localAPIEndpoint: { advertiseAddress: '10.0.0.10', bindPort: 6443 },
    certificateKey: 'ab'.repeat(32),
  })
  expect(documents.ClusterConfiguration).toEqual({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ClusterConfiguration',
    kubernetesVersion: 'v1.33.13',
    certificatesDir: '/etc/kubernetes/pki',
    imageRepository: 'registry.k8s.io',
    controlPlaneEndpoint: 'api.example:8443',
    networking: { serviceSubnet: '10.96.0.0/12', dnsDomain: 'cluster.local', podSubnet: '10.244.0.0/16' },
    apiServer: { certSANs: ['api.example', '10.9.9.9'] },
    featureGates: { A: true },
  })
  expect(documents.KubeletConfiguration).toMatchObject({ cgroupDriver: 'systemd' })
})

it("passes the user's documents through, without what edgeadm carries out itself", () => {
  const documents = read(init({ 'node-labels': ['b=3'] }, USER))
  const { InitConfiguration, ClusterConfiguration, KubeletConfiguration, KubeProxyConfiguration } = documents
  expect(InitConfiguration).toMatchObject({
    timeouts: { kubeletHealthCheck: '2m0s' },
    nodeRegistration: {
      imagePullPolicy: 'Never',
      kubeletExtraArgs: [
        { name: 'v', value: '4' },
        { name: 'node-labels', value: 'a=1,b=3' },
        { name: 'node-ip', value: '10.0.0.10' },
      ],
    },
  })
  const tokens = InitConfiguration?.bootstrapTokens as Record<string, unknown>[]
  expect(tokens[0]).toEqual({
    description: 'mine',
    token: expect.any(String),
    ttl: expect.stringMatching(/^\d+h\d+m\d+s$/),
  })
  expect(tokens[1]).toEqual({ token: 'zzzzzz.0123456789abcdef' })
  expect(InitConfiguration).not.toHaveProperty('skipPhases')
  expect(InitConfiguration).not.toHaveProperty('dryRun')
  expect(ClusterConfiguration).toMatchObject({
    clusterName: 'mine',
    etcd: { local: { dataDir: '/data/etcd' } },
    unknownField: 'kept',
  })
  expect(KubeletConfiguration).toMatchObject({ failSwapOn: false, cgroupDriver: 'systemd' })
  expect(KubeProxyConfiguration).toMatchObject({ conntrack: { maxPerCore: 0, min: 0 } })
})

it("speaks the API version of the target's kubeadm, and the user's where there is one", () => {
  const old = read(init({ 'node-labels': ['a=b'] }, undefined, 'v1.30.4'))
  expect(old.InitConfiguration).toMatchObject({
    apiVersion: 'kubeadm.k8s.io/v1beta3',
    nodeRegistration: { kubeletExtraArgs: { 'node-labels': 'a=b' } },
  })
  const yaml =
    'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\napiServer: {extraArgs: {v: "4"}}\n'
  const kept = read(init({ 'node-labels': ['a=b'] }, yaml))
  expect(kept.InitConfiguration?.apiVersion).toBe('kubeadm.k8s.io/v1beta3')
  expect(kept.ClusterConfiguration).toMatchObject({
    apiVersion: 'kubeadm.k8s.io/v1beta3',
    apiServer: { extraArgs: { v: '4' } },
  })
})

it("the kubelet's own --node-ip in the user's document stays", () => {
  const args = 'nodeRegistration: {kubeletExtraArgs: [{name: node-ip, value: 10.9.9.9}]}'
  const yaml = `apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n${args}\n`
  expect(read(init({}, yaml)).InitConfiguration).toMatchObject({
    nodeRegistration: { kubeletExtraArgs: [{ name: 'node-ip', value: '10.9.9.9' }] },
  })
})

it('quotes what YAML 1.1 would take for something else', () =>
  expect(init({ token: '123456.0123456789012345' })).toContain('token: "123456.0123456789012345"'))

const line = { token: TOKEN, 'discovery-token-ca-cert-hash': [HASH] }

it('writes a worker’s, a master’s and a file’s JoinConfiguration', () => {
  const joined = (flags: object, endpoint?: string) =>
    read(joinDocuments(resolveJoin({ ...input(flags), endpoint }))).JoinConfiguration
  expect(joined(line, '10.0.0.1:6443')).toEqual({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'JoinConfiguration',
    nodeRegistration: {
      name: 'master-1',
      criSocket: 'unix:///run/containerd/containerd.sock',
      kubeletExtraArgs: [{ name: 'node-ip', value: '10.0.0.10' }],
    },
    discovery: {
      bootstrapToken: { token: TOKEN, apiServerEndpoint: '10.0.0.1:6443', caCertHashes: [HASH] },
      tlsBootstrapToken: TOKEN,
    },
  })
  expect(joined({ ...line, 'control-plane': true }, '10.0.0.1:6443')?.controlPlane).toEqual({
    localAPIEndpoint: { advertiseAddress: '10.0.0.10', bindPort: 6443 },
  })
  expect(joined({ 'discovery-file': '/x' })?.discovery).toEqual({ file: { kubeConfigPath: '/x' } })
})

describe('the real kubeadm', async () => {
  const kubeadm = await findKubeadm()
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'edgeadm-config-'))
    await writeFile(join(directory, 'discovery.conf'), '')
  })
  afterAll(() => rm(directory, { recursive: true }))

  const version = kubeadm?.version ?? 'v1.33.13'
  const at = { versions: versionsOf(version) }
  const cases: Record<string, () => string | undefined> = {
    'a plain init': () => init({}, undefined, version),
    'an init with all flags': () =>
      init(
        {
          'node-labels': ['a=b'],
          'node-taints': [''],
          'upload-certs': true,
          'control-plane-endpoint': '10.0.0.100:8443',
          'token-ttl': '0',
          patches: '/tmp',
        },
        undefined,
        version,
      ),
    'the user’s own documents': () => init({}, USER.replace('unknownField: kept', ''), version),
    'a worker': () =>
      joinDocuments(
        resolveJoin({ ...input({ ...line, 'enable-edge': false }), ...at, endpoint: '[fd00::1]:6443' }),
      ),
    'a master': () =>
      joinDocuments(
        resolveJoin({
          ...input({ ...line, 'control-plane': true, 'certificate-key': 'ab'.repeat(32) }),
          ...at,
          endpoint: 'm:6443',
        }),
      ),
    'a reset': () => resetDocuments(resolveReset({ ...input({ force: true }), ...at }), version),
  }
  it.skipIf(!kubeadm).each(Object.entries(cases))('accepts %s without a word', async (name, make) => {
    const file = join(directory, `${name.replaceAll(/\W/g, '-')}.yaml`)
    await writeFile(file, make() ?? '')
    const { exitCode, stdout, stderr } = await execa(
      kubeadm?.path as string,
      ['config', 'validate', '--config', file],
      { reject: false },
    )
    expect(stderr).toBe('')
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'ok' })
  })
})

it('after the join nothing in the file lets others in, and the rest is as it was', () => {
  const text = `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    token: abcdef.0123456789abcdef
    apiServerEndpoint: 10.0.0.1:6443
  tlsBootstrapToken: abcdef.0123456789abcdef
controlPlane:
  certificateKey: ${'0'.repeat(64)}
nodeRegistration:
  name: w1
`
  const kept = withoutSecrets(text)
  expect(kept).not.toMatch(/abcdef|000000/)
  expect(kept).toContain('apiServerEndpoint: 10.0.0.1:6443')
  expect(kept).toContain('name: w1')
})
