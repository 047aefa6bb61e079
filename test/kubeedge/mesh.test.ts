import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { meshManifest } from '../../src/kubeedge/mesh.ts'

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: {
    readonly template: {
      readonly spec: {
        readonly automountServiceAccountToken: boolean
        readonly affinity: unknown
        readonly containers: readonly {
          readonly image: string
          readonly securityContext: { readonly privileged: boolean }
        }[]
      }
    }
  }
}

const relays = [{ nodeName: 'master-1', advertiseAddress: ['203.0.113.10'] }]
const documents = parseAllDocuments(meshManifest('registry.example.org/edgemesh-agent:v1', relays)).map(
  (document) => document.toJS() as Manifest,
)
const named = (kind: string, name: string) =>
  documents.find((one) => one?.kind === kind && one.metadata.name === name)

test('rights come before agents', () => {
  const kinds = documents.map((one) => one?.kind)
  expect(kinds.indexOf('ClusterRoleBinding')).toBeGreaterThan(-1)
  expect(kinds.indexOf('ClusterRoleBinding')).toBeLessThan(kinds.indexOf('DaemonSet'))
})

test.each([
  ['cloud', true],
  ['edge-secure', true],
  ['edge-plain', false],
])('the agent of %s is not privileged, and has a token: %s', (name, token) => {
  const pod = named('DaemonSet', `edgemesh-agent-${name}`)?.spec?.template.spec
  expect(pod?.automountServiceAccountToken).toBe(token)
  expect(pod?.containers[0]?.securityContext.privileged).toBe(false)
  expect(pod?.containers[0]?.image).toBe('registry.example.org/edgemesh-agent:v1')
})

test('the secure MetaServer is verified, and relays are known', () => {
  const config = named('ConfigMap', 'edgemesh-agent-edge-secure')?.data?.['edgemesh-agent.yaml'] ?? ''
  expect(config).toContain('insecureSkipTLSVerify: false')
  expect(config).toContain('"nodeName":"master-1"')
  expect(named('ConfigMap', 'edgemesh-agent-edge-plain')?.data?.['edgemesh-agent.yaml']).toContain(
    'server: http://127.0.0.1:10550',
  )
})
