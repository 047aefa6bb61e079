import { expect, it } from 'vitest'
import { initFlags, joinFlags, legacyFlags, resetFlags, rewriteLegacyFlags } from '../../src/config/flags.ts'
import { problemsOf } from './fixtures.ts'

const KUBEADM = {
  init: 'apiserver-advertise-address apiserver-bind-port apiserver-cert-extra-sans cert-dir certificate-key config control-plane-endpoint cri-socket dry-run feature-gates ignore-preflight-errors image-repository kubernetes-version node-name patches pod-network-cidr service-cidr service-dns-domain skip-certificate-key-print skip-phases skip-token-print token token-ttl upload-certs',
  join: 'apiserver-advertise-address apiserver-bind-port certificate-key config control-plane cri-socket discovery-file discovery-token discovery-token-ca-cert-hash discovery-token-unsafe-skip-ca-verification dry-run ignore-preflight-errors node-name patches skip-phases tls-bootstrap-token token',
  reset:
    'cert-dir cleanup-tmp-dir config cri-socket dry-run force ignore-preflight-errors kubeconfig skip-phases',
}
const OURS = { init: initFlags, join: joinFlags, reset: resetFlags }

it.each(['init', 'join', 'reset'] as const)('%s has every flag of kubeadm', (command) => {
  expect(Object.keys(OURS[command])).toEqual(expect.arrayContaining(KUBEADM[command].split(' ')))
})

it('no flag carries a default, so that a flag that was given can be told from one that was not', () => {
  for (const flags of Object.values(OURS))
    for (const [name, flag] of Object.entries(flags)) {
      expect(flag.default, name).toBeUndefined()
      expect(flag.description, name).toMatch(/\.$/)
    }
})

it("every other flag of SuperEdge's edgeadm is answered", () => {
  const superedge = {
    init: 'enable-edge worker-path install-pkg-path manifests-dir edge-version edge-image-repository edge-virtual-addr default-ha interface runtime ignore-runtime',
    join: 'enable-edge worker-path install-pkg-path default-ha interface runtime ignore-runtime pod-infra-container-image',
    reset: 'worker-path force',
  }
  for (const command of ['init', 'join', 'reset'] as const)
    for (const name of superedge[command].split(' '))
      expect(
        name in OURS[command] || legacyFlags[name]?.commands.includes(command),
        `${command} --${name}`,
      ).toBe(true)
})

it('honours what has a counterpart', () => {
  expect(rewriteLegacyFlags('init', ['--runtime=containerd', '--default-ha=', '--token', 'x'])).toEqual([
    '--ha=none',
    '--token',
    'x',
  ])
  expect(rewriteLegacyFlags('join', ['--runtime', 'containerd', 'a:1', '--ignore-runtime'])).toEqual([
    'a:1',
    '--skip-phases=runtime/containerd',
  ])
  expect(rewriteLegacyFlags('join', ['--', '--runtime', 'docker'])).toEqual(['--', '--runtime', 'docker'])
})

it('says in one sentence what replaces the others', () => {
  expect(problemsOf(() => rewriteLegacyFlags('init', ['--runtime=docker']))[0]).toContain(
    '--runtime takes only containerd',
  )
  expect(problemsOf(() => rewriteLegacyFlags('init', ['--default-ha', 'kube-vip']))[0]).toContain(
    '--ha=haproxy-keepalived',
  )
  expect(
    problemsOf(() => rewriteLegacyFlags('init', ['--edge-version=v0.9.0', '--worker-path', '/tmp/'])),
  ).toHaveLength(2)
})
