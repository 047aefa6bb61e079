import { expect, it } from 'vitest'
import type { JoinFlags } from '../../src/config/flags.ts'
import { resolveJoin, resolveReset } from '../../src/config/load.ts'
import { type ClusterFacts, FACTS_SCHEMA } from '../../src/kubeedge/cluster-facts.ts'
import { encodeTicket } from '../../src/kubeedge/edge-ticket.ts'
import { makeJoinToken } from '../../src/kubeedge/join-token.ts'
import { input, problemsOf } from './fixtures.ts'

const HASH = `sha256:${'0a'.repeat(32)}`
const TOKEN = 'abcdef.0123456789abcdef'
const line: JoinFlags = { token: TOKEN, 'discovery-token-ca-cert-hash': [HASH] }
const join = (flags: JoinFlags = line, endpoint: string | undefined = '10.0.0.1:6443', yaml?: string) =>
  resolveJoin({ ...input(flags, yaml), endpoint })
const problems = (...args: Parameters<typeof join>) => problemsOf(() => join(...args))

it('reads the join line', () => {
  expect(join()).toMatchObject({
    discovery: {
      kind: 'token',
      token: TOKEN,
      endpoint: '10.0.0.1:6443',
      caCertHashes: [HASH],
      unsafeSkipCAVerification: false,
    },
    tlsBootstrapToken: TOKEN,
    controlPlane: undefined,
    role: 'edge',
    node: { name: 'master-1', address: '10.0.0.10' },
    kubernetesVersion: 'v1.33.13',
  })
})

it('keeps --discovery-token and --tls-bootstrap-token apart from --token', () => {
  const flags = {
    ...line,
    'discovery-token': '111111.1111111111111111',
    'tls-bootstrap-token': '222222.2222222222222222',
  }
  expect(join(flags)).toMatchObject({
    discovery: { token: '111111.1111111111111111' },
    tlsBootstrapToken: '222222.2222222222222222',
  })
})

it.each<[string, JoinFlags, string | undefined, string]>([
  ['no hash', { token: TOKEN }, '10.0.0.1:6443', '--discovery-token-ca-cert-hash: is missing'],
  [
    'a malformed hash',
    { ...line, 'discovery-token-ca-cert-hash': ['sha256:zz'] },
    '10.0.0.1:6443',
    'it is not hexadecimal',
  ],
  [
    'a short hash',
    { ...line, 'discovery-token-ca-cert-hash': ['sha256:0a'] },
    '10.0.0.1:6443',
    'found 1 bytes',
  ],
  [
    'another kind of hash',
    { ...line, 'discovery-token-ca-cert-hash': ['md5:0a'] },
    '10.0.0.1:6443',
    'unknown hash format "md5"',
  ],
  [
    'a malformed token',
    { ...line, token: 'abc' },
    '10.0.0.1:6443',
    '--token: the bootstrap token is invalid',
  ],
  ['no port', line, '10.0.0.1', 'the API server endpoint: "10.0.0.1" has no port'],
  ['a URL', line, 'https://10.0.0.1:6443', 'give HOST:PORT, without a scheme'],
  [
    'a key without --control-plane',
    { ...line, 'certificate-key': 'ab'.repeat(32) },
    'a:1',
    '--certificate-key: is for masters',
  ],
  ['a plain http discovery file', { 'discovery-file': 'http://x/y' }, undefined, 'the scheme must be https'],
])('refuses %s', (_, flags, endpoint, message) => {
  const found = problemsOf(() => resolveJoin({ ...input(flags), endpoint }))
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(message)
})

it('asks for endpoint and token when there is neither', () => {
  const found = problemsOf(() => resolveJoin({ ...input({}), endpoint: undefined }))
  expect(found).toHaveLength(3)
  expect(found[0]).toContain('the API server endpoint is missing')
  expect(found[1]).toContain('the bootstrap token is missing')
})

it('joins without a hash if that is said, and with a discovery file', () => {
  expect(join({ token: TOKEN, 'discovery-token-unsafe-skip-ca-verification': true }).discovery).toMatchObject(
    {
      caCertHashes: [],
      unsafeSkipCAVerification: true,
    },
  )
  const { discovery, tlsBootstrapToken } = resolveJoin({
    ...input({ 'discovery-file': '/x', token: TOKEN }),
    endpoint: undefined,
  })
  expect(discovery).toEqual({ kind: 'file', path: '/x' })
  expect(tlsBootstrapToken).toBe(TOKEN)
})

it('makes a master with --control-plane, which is no edge node', () => {
  const settings = join({
    ...line,
    'control-plane': true,
    'certificate-key': 'ab'.repeat(32),
    'enable-edge': true,
  })
  expect(settings).toMatchObject({
    controlPlane: { advertiseAddress: '10.0.0.10', bindPort: 6443, certificateKey: 'ab'.repeat(32) },
    role: 'master',
  })
  expect(settings.warnings).toEqual([
    '--enable-edge: a master does not become an edge node; it joins as a master',
  ])
})

const FILE = `
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    token: ${TOKEN}
    apiServerEndpoint: master:6443
    caCertHashes: [${HASH}]
controlPlane:
  localAPIEndpoint: {bindPort: 7443}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
`

it('reads the file, and lets the command line beat it', () => {
  const settings = resolveJoin({ ...input({}, FILE), endpoint: undefined })
  expect(settings).toMatchObject({
    discovery: { endpoint: 'master:6443', token: TOKEN },
    tlsBootstrapToken: TOKEN,
    controlPlane: { bindPort: 7443 },
  })
  expect(settings.warnings[0]).toContain('join takes KubeletConfiguration from the cluster')
  expect(join({ token: '999999.0123456789abcdef' }, 'other:6443', FILE)).toMatchObject({
    discovery: { endpoint: 'other:6443', token: '999999.0123456789abcdef' },
  })
})

it("SuperEdge's kubelet is the cluster's to configure, and wants the API server", () => {
  const superedge: JoinFlags = { ...line, 'edge-runtime': 'superedge' }
  const settings = join(superedge, 'other:6443', FILE.replace(/^controlPlane:\n.*\n/m, ''))
  expect(settings).toMatchObject({ role: 'edge', edge: { runtime: 'superedge' } })
  expect(settings.documents.KubeletConfiguration).toBeUndefined()
  expect(settings.warnings[0]).toContain('join takes KubeletConfiguration from the cluster')
  const ca = { certificateDer: Buffer.from('certificate'), keyDer: Buffer.from('key') }
  const facts = { schema: FACTS_SCHEMA } as ClusterFacts
  const token = encodeTicket({ token: makeJoinToken(ca, 60_000), facts })
  const flags: JoinFlags = { 'edge-token': token, 'edge-runtime': 'superedge' }
  expect(problemsOf(() => resolveJoin({ ...input(flags), endpoint: undefined }))).toEqual([
    '--edge-runtime: superedge joins with a bootstrap token: an edge token leads to CloudCore alone',
  ])
})

it('points to the place in the file', () => {
  const yaml = FILE.replace(TOKEN, 'nonsense').replace('bindPort: 7443', 'bindPort: 0')
  expect(
    problemsOf(() => resolveJoin({ ...input({}, yaml), endpoint: undefined })).map((one) => one.slice(0, 50)),
  ).toEqual([
    expect.stringMatching(/^cluster\.yaml:6: discovery\.bootstrapToken\.token/),
    expect.stringMatching(/^cluster\.yaml:10: controlPlane\.localAPIEndpoint\.bin/),
  ])
})

it('refuses a file with nothing for join', () =>
  expect(problems(line, 'a:1', 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n')).toEqual([
    'cluster.yaml: no JoinConfiguration was found in it',
  ]))

it('resolves reset', () => {
  const yaml =
    'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nforce: true\ncriSocket: unix:///x.sock\n'
  expect(resolveReset(input({ 'cert-dir': '/pki' }, yaml))).toMatchObject({
    force: true,
    criSocket: 'unix:///x.sock',
    certDir: '/pki',
    removeNode: false,
    kubeconfig: '/etc/kubernetes/admin.conf',
  })
  expect(problemsOf(() => resolveReset(input({ 'cert-dir': 'pki', kubeconfig: 'x' })))).toHaveLength(2)
})
