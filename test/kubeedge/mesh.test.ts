import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import {
  FOLLOW_MASTERS,
  hashOf,
  meshManifest,
  RELAYS_ANNOTATION,
  RELAYS_LABEL,
} from '../../src/kubeedge/mesh.ts'
import { withRelays } from '../../src/phases/edge/mesh/masters.ts'

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: {
    readonly template: {
      readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
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
const documents = parseAllDocuments(
  meshManifest('registry.example.org/edgemesh-agent:v1', { relays, followMasters: true }),
).map((document) => document.toJS() as Manifest)
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

test('what a joining master has to know is on the objects', () => {
  for (const name of ['cloud', 'edge-secure', 'edge-plain']) {
    const map = named('ConfigMap', `edgemesh-agent-${name}`)
    expect(map?.metadata.labels).toEqual({ [RELAYS_LABEL]: FOLLOW_MASTERS })
    const pods = named('DaemonSet', `edgemesh-agent-${name}`)?.spec?.template.metadata
    expect(pods?.annotations?.[RELAYS_ANNOTATION]).toBe(hashOf(relays))
    const config = map?.data?.['edgemesh-agent.yaml'] ?? ''
    expect(withRelays(config, relays)).toBe(config)
    const second = { nodeName: 'master-2', advertiseAddress: ['203.0.113.11'] }
    const changed = withRelays(config, [...relays, second])
    expect(withRelays(changed, [...relays, second])).toBe(changed)
    expect(parse(withRelays(changed, relays))).toEqual(parse(config))
    const before = parse(config) as { modules: { edgeTunnel: object } }
    expect(parse(changed)).toEqual({
      ...before,
      modules: {
        ...before.modules,
        edgeTunnel: { ...before.modules.edgeTunnel, relayNodes: [...relays, second] },
      },
    })
  }
})
