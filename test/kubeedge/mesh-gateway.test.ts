import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { GATEWAY_RIGHTS, gatewayManifest } from '../../src/kubeedge/mesh.ts'

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly data?: Readonly<Record<string, string>>
  readonly rules?: readonly { readonly resources: readonly string[] }[]
  readonly subjects?: readonly { readonly kind: string; readonly name: string }[]
  readonly spec?: { readonly template: { readonly spec: PodSpec } }
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean
  readonly serviceAccountName: string
  readonly affinity: {
    readonly nodeAffinity: {
      readonly requiredDuringSchedulingIgnoredDuringExecution: {
        readonly nodeSelectorTerms: readonly unknown[]
      }
    }
  }
  readonly containers: readonly { readonly image: string; readonly securityContext: unknown }[]
}

const relays = [{ nodeName: 'master-1', advertiseAddress: ['203.0.113.10'] }]
const documents = parseAllDocuments(
  gatewayManifest('example.org/gateway:v1', { relays, followMasters: false }, ['a', 'b'], true),
).map((document) => document.toJS() as Manifest)
const named = (kind: string, name: string) =>
  documents.find((one) => one.kind === kind && one.metadata.name === name)

test('rights come before gateways; those for Secrets have the account of the cloud alone', () => {
  const kinds = documents.map(({ kind }) => kind)
  expect(kinds.indexOf('ClusterRoleBinding')).toBeLessThan(kinds.indexOf('DaemonSet'))
  const may = (name: string) => named('ClusterRole', name)?.rules?.flatMap(({ resources }) => resources)
  const who = (name: string) => named('ClusterRoleBinding', name)?.subjects?.map((subject) => subject.name)
  const plain = ['edgeadm:metaserver:a', 'edgeadm:metaserver:b']
  expect(may('edgemesh-gateway')).not.toContain('secrets')
  expect(who('edgemesh-gateway')).toEqual(['edgemesh-gateway', 'edgemesh-gateway-edge', ...plain])
  expect(may('edgemesh-gateway-secrets')).toEqual(['secrets'])
  expect(who('edgemesh-gateway-secrets')).toEqual(['edgemesh-gateway'])
  expect(may('edgemesh-gateway-edge')).toEqual(['gatewaysecrets'])
  expect(who('edgemesh-gateway-edge')).toEqual(['edgemesh-gateway-edge', ...plain])
  expect(GATEWAY_RIGHTS).toEqual(
    documents.filter(({ kind }) => kind === 'ClusterRole').map(({ metadata }) => metadata.name),
  )
})

test("without CloudCore's addition it runs on no edge node", () => {
  const text = gatewayManifest('example.org/gateway:v1', { relays, followMasters: false }, ['a'], false)
  const all = parseAllDocuments(text).map((document) => document.toJS() as Manifest)
  const sets = all.filter(({ kind }) => kind === 'DaemonSet').map(({ metadata }) => metadata.name)
  expect(sets).toEqual(['edgemesh-gateway-cloud'])
})

test.each([
  ['cloud', 'node-role.kubernetes.io/edge', true],
  ['edge-secure', 'edgeadm.io/metaserver', true],
  ['edge-plain', 'edgeadm.io/metaserver', false],
])('the gateway of %s runs on the named nodes alone, without privileges', (name, label, token) => {
  const pod = named('DaemonSet', `edgemesh-gateway-${name}`)?.spec?.template.spec
  const terms = pod?.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms
  expect(terms).toEqual(
    ['a', 'b'].map((node) => ({
      matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }],
      matchExpressions: expect.arrayContaining([expect.objectContaining({ key: label })]),
    })),
  )
  expect(pod?.automountServiceAccountToken).toBe(token)
  expect(pod?.serviceAccountName).toBe(name === 'cloud' ? 'edgemesh-gateway' : 'edgemesh-gateway-edge')
  expect(pod?.containers[0]).toMatchObject({
    image: 'example.org/gateway:v1',
    securityContext: { privileged: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
  })
})

test.each([
  ['cloud', undefined],
  [
    'edge-secure',
    {
      server: 'https://127.0.0.1:10550',
      security: {
        requireAuthorization: true,
        insecureSkipTLSVerify: false,
        tlsCaFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
        tlsCertFile: '',
        tlsPrivateKeyFile: '',
      },
    },
  ],
  ['edge-plain', { server: 'http://127.0.0.1:10550' }],
])('the configuration of %s', (name, metaServer) => {
  const text = named('ConfigMap', `edgemesh-gateway-${name}`)?.data?.['edgemesh-gateway.yaml'] ?? ''
  expect(parse(text)).toEqual({
    ...(metaServer === undefined ? {} : { kubeAPIConfig: { metaServer } }),
    modules: {
      edgeGateway: { enable: true },
      edgeTunnel: {
        enable: true,
        listenPort: 20006,
        transport: 'tcp',
        finderPeriod: 10,
        psk: { enable: true, path: '/etc/edgemesh/psk' },
        relayNodes: relays,
      },
    },
  })
})
