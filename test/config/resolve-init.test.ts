import { describe, expect, it } from 'vitest'
import type { InitFlags } from '../../src/config/flags.ts'
import { resolveInit } from '../../src/config/load.ts'
import { input, problemsOf, versionsOf } from './fixtures.ts'

const HEX = 'ab'.repeat(32)
const resolve = (flags: InitFlags = {}, yaml?: string) => resolveInit(input(flags, yaml))
const problems = (flags: InitFlags, yaml?: string) => problemsOf(() => resolve(flags, yaml))

it("has kubeadm's defaults, and edgeadm's own", () => {
  const settings = resolve()
  expect(settings).toMatchObject({
    kubernetesVersion: 'v1.33.13',
    node: {
      name: 'master-1',
      address: '10.0.0.10',
      criSocket: 'unix:///run/containerd/containerd.sock',
      labels: {},
      taints: undefined,
    },
    advertiseAddress: '10.0.0.10',
    bindPort: 6443,
    controlPlaneEndpoint: undefined,
    podSubnet: '10.244.0.0/16',
    serviceSubnet: '10.96.0.0/12',
    dnsDomain: 'cluster.local',
    imageRepository: 'registry.k8s.io',
    certDir: '/etc/kubernetes/pki',
    tokenTtl: 86_400_000,
    certificateKey: undefined,
    cni: 'flannel',
    role: 'master',
    cloudSide: true,
    edge: { runtime: 'kubeedge', metaServer: 'secure', cloudAddresses: ['10.0.0.10'], edgeMesh: undefined },
    ha: { mode: 'none' },
    dryRun: false,
    skipPhases: [],
    ignorePreflightErrors: [],
    warnings: [],
  })
  expect(settings.token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/)
  expect(resolve().token).not.toBe(settings.token)
})

it('needs no Pod network without flannel', () => expect(resolve({ cni: 'none' }).podSubnet).toBeUndefined())

it('makes a certificate key when certificates are uploaded', () => {
  expect(resolve({ 'upload-certs': true }).certificateKey).toMatch(/^[0-9a-f]{64}$/)
  expect(resolve({ 'upload-certs': true, 'certificate-key': HEX }).certificateKey).toBe(HEX)
})

const FILE = `
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens:
- token: abcdef.0123456789abcdef
  ttl: 1h
nodeRegistration:
  name: FROM-FILE
  criSocket: /run/crio/crio.sock
  taints: []
  ignorePreflightErrors: [Swap]
localAPIEndpoint: {advertiseAddress: 10.0.0.99, bindPort: 7443}
skipPhases: [addon/kube-proxy]
patches: {directory: /etc/patches}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
controlPlaneEndpoint: api.example
networking: {podSubnet: 10.100.0.0/16, serviceSubnet: 10.200.0.0/16, dnsDomain: edge.local}
apiServer: {certSANs: [API.example]}
featureGates: {A: true, B: false}
---
apiVersion: edgeadm.io/v1alpha1
kind: EdgeConfiguration
enableEdge: false
cni: none
package: {path: /srv/package.tar.zst, publicKey: /srv/key.pub}
node: {labels: {site: a, kept: "1"}}
edge: {runtime: superedge, metaServer: plain, cloudAddresses: [cloud.example], edgeMesh: false}
highAvailability: {mode: external}
`

it('takes everything from the file', () => {
  expect(resolve({}, FILE)).toMatchObject({
    token: 'abcdef.0123456789abcdef',
    tokenTtl: 3_600_000,
    node: {
      name: 'from-file',
      criSocket: 'unix:///run/crio/crio.sock',
      taints: [],
      labels: { site: 'a', kept: '1' },
    },
    ignorePreflightErrors: ['swap'],
    advertiseAddress: '10.0.0.99',
    bindPort: 7443,
    skipPhases: ['addon/kube-proxy'],
    patchesDirectory: '/etc/patches',
    controlPlaneEndpoint: 'api.example:7443',
    podSubnet: '10.100.0.0/16',
    serviceSubnet: '10.200.0.0/16',
    dnsDomain: 'edge.local',
    certSANs: ['api.example'],
    featureGates: { A: true, B: false },
    role: 'master',
    cloudSide: false,
    cni: 'none',
    package: { path: '/srv/package.tar.zst', publicKey: '/srv/key.pub' },
    edge: { runtime: 'superedge', metaServer: 'plain', cloudAddresses: ['cloud.example'], edgeMesh: false },
    ha: { mode: 'external' },
    warnings: [],
  })
})

it('lets a flag beat the file', () => {
  const settings = resolve(
    {
      token: '123456.0123456789abcdef',
      'token-ttl': '0',
      'node-name': 'Flag',
      'node-labels': ['site=b'],
      'ignore-preflight-errors': ['NumCPU'],
      'apiserver-bind-port': '6443',
      'pod-network-cidr': '10.101.0.0/16',
      'feature-gates': 'B=true',
      'enable-edge': true,
      'install-pkg-path': './other',
      ha: 'none',
    },
    FILE,
  )
  expect(settings).toMatchObject({
    token: '123456.0123456789abcdef',
    tokenTtl: 0,
    node: { name: 'flag', labels: { site: 'b', kept: '1' } },
    ignorePreflightErrors: ['numcpu', 'swap'],
    bindPort: 6443,
    podSubnet: '10.101.0.0/16',
    featureGates: { A: true, B: true },
    role: 'master',
    cloudSide: true,
    package: { path: './other' },
    ha: { mode: 'none' },
  })
})

it('reports all problems at once, each with its flag or its place in the file', () => {
  expect(
    problems(
      { token: 'ABC', 'node-labels': ['a'], 'token-ttl': '1d', 'cert-dir': 'pki', cni: 'calico' },
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking:\n  dnsDomain: A_B\napiServer:\n  certSANs: x\n',
    ).map((line) => line.split(': ').slice(0, 2).join(': ')),
  ).toEqual([
    'cluster.yaml:6: apiServer.certSANs',
    '--cni: "calico" is none of flannel, none',
    expect.stringContaining('--token: the bootstrap token is invalid'),
    'cluster.yaml:4: networking.dnsDomain',
    '--node-labels: "a" is not KEY=VALUE',
    '--cert-dir: "pki" is not an absolute path',
    expect.stringContaining('--token-ttl: "1d" is not a duration'),
  ])
})

it('never repeats a token that is wrong', () =>
  expect(problems({ token: 'abcdef.0123456789abcdeX' }).join()).not.toContain('0123456789'))

describe('single values', () => {
  it.each<[InitFlags, string]>([
    [{ 'apiserver-bind-port': '70000' }, '--apiserver-bind-port: the port must be a number from 1 to 65535'],
    [{ 'apiserver-bind-port': 'x' }, '--apiserver-bind-port: the port must be a number from 1 to 65535'],
    [
      { 'apiserver-advertise-address': '10.0.0' },
      '--apiserver-advertise-address: "10.0.0" is not an IPv4 or IPv6 address',
    ],
    [{ 'apiserver-advertise-address': '0.0.0.0' }, 'cannot use "0.0.0.0" as the bind address'],
    [{ 'control-plane-endpoint': 'a b' }, '--control-plane-endpoint: "a b" is neither'],
    [{ 'control-plane-endpoint': 'host:99999' }, 'the port must be a number from 1 to 65535'],
    [{ 'certificate-key': 'ab' }, 'invalid certificate key size 1, the key must be an AES key of size 32'],
    [{ 'feature-gates': 'A=maybe' }, '--feature-gates: "A=maybe" is not NAME=true or NAME=false'],
    [{ 'image-repository': 'a b' }, 'invalid image repository format'],
    [{ 'ignore-preflight-errors': ['all', 'Swap'] }, "don't specify individual checks if 'all' is used"],
    [{ 'cri-socket': 'tcp://x' }, '--cri-socket: "tcp://x" is not an absolute path of a unix socket'],
    [{ 'install-pkg-sha256': 'ab' }, 'expected a SHA-256 of 64 hexadecimal digits'],
    [
      { 'install-pkg-public-key': '/key.pub' },
      '--install-pkg-public-key: no package was named whose signature it could check',
    ],
    [{ interface: 'eth9' }, '--interface: there is no network interface "eth9"; there are eth0'],
    [{ ha: 'external' }, '--ha=external: needs --control-plane-endpoint'],
    [{ 'ha-virtual-router-id': '0' }, '--ha-virtual-router-id: must be a number from 1 to 255'],
    [{ 'cloud-address': ['10.0.0.999'] }, '--cloud-address: "10.0.0.999" is not a valid IP address'],
    [
      { 'apiserver-cert-extra-sans': ['a_b'] },
      '--apiserver-cert-extra-sans: "a_b" is neither an IP address nor a DNS name',
    ],
  ])('%j', (flags, message) => {
    const found = problems(flags)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(message)
  })
})

describe('--ha=haproxy-keepalived', () => {
  const ha = (endpoint: string) => ({ ha: 'haproxy-keepalived', 'control-plane-endpoint': endpoint })
  it('listens on 8443 unless told otherwise', () => {
    expect(resolve(ha('10.0.0.100')).controlPlaneEndpoint).toBe('10.0.0.100:8443')
    expect(resolve(ha('10.0.0.100:9443')).controlPlaneEndpoint).toBe('10.0.0.100:9443')
  })
  it('wants an address, and a port of its own', () => {
    expect(problems(ha('api.example'))[0]).toContain(
      'needs the virtual IP address here, not the name "api.example"',
    )
    expect(problems(ha('10.0.0.100:6443'))[0]).toContain("port 6443 is the API server's own")
  })
})

describe('versions', () => {
  const cluster = (apiVersion: string) =>
    `apiVersion: kubeadm.k8s.io/${apiVersion}\nkind: ClusterConfiguration\n`
  const at = (version: string, apiVersion: string) => () =>
    resolveInit({ ...input({}, cluster(apiVersion)), versions: versionsOf(version) })

  it('is of class package if the package alone is wrong', () =>
    expect(() => resolve({ 'kubernetes-version': 'v1.34.0' })).toThrow(
      expect.objectContaining({
        class: 'package',
        message: expect.stringContaining('the package has v1.33.13'),
      }),
    ))

  it('reads what the target kubeadm reads', () => {
    expect(at('v1.33.13', 'v1beta3')().warnings[0]).toContain('kubeadm.k8s.io/v1beta3 is deprecated')
    expect(at('v1.30.4', 'v1beta3')().warnings).toEqual([])
    expect(problemsOf(at('v1.30.4', 'v1beta4'))).toEqual([
      'cluster.yaml:1: apiVersion: kubeadm v1.30.4 does not read kubeadm.k8s.io/v1beta4; its version is kubeadm.k8s.io/v1beta3',
    ])
    expect(problemsOf(at('v1.37.0', 'v1beta3'))[0]).toContain('kubeadm config migrate of an older release')
    expect(problemsOf(at('v1.33.13', 'v1beta9'))[0]).toContain('does not read kubeadm.k8s.io/v1beta9')
  })

  it("warns of unknown fields in kubeadm's documents and refuses them in edgeadm's", () => {
    const warned = resolve({}, `${cluster('v1beta4')}networking: {podSubnett: x}\n`).warnings
    expect(warned).toEqual([
      'cluster.yaml:3: networking.podSubnett: unknown field "networking.podSubnett" in kubeadm.k8s.io/v1beta4 ClusterConfiguration',
    ])
    expect(
      problems({}, 'apiVersion: edgeadm.io/v1alpha1\nkind: EdgeConfiguration\nedge:\n  runtimes: x\n'),
    ).toEqual(['cluster.yaml:4: edge.runtimes: there is no such field'])
  })

  it('refuses a file with nothing for init', () =>
    expect(problems({}, 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n')).toEqual([
      'cluster.yaml: no InitConfiguration or ClusterConfiguration was found in it',
    ]))
})
