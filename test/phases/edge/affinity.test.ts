import { expect, test } from 'vitest'
import { type DaemonSet, networksOnEdges, termsOff } from '../../../src/phases/edge/affinity.ts'

const LABEL = 'superedge.io/edge-node'
const notOnEdges = { key: LABEL, operator: 'DoesNotExist' }
const linux = { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }
const gpu = { key: 'gpu', operator: 'Exists' }

function daemonSet(nodeSelectorTerms?: object[]): DaemonSet {
  const affinity =
    nodeSelectorTerms === undefined
      ? {}
      : {
          affinity: {
            nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
          },
        }
  return {
    metadata: { name: 'some', namespace: 'kube-system' },
    spec: { template: { spec: affinity } },
  } as DaemonSet
}

test('without affinity it gets one term', () => {
  expect(termsOff(daemonSet(), LABEL)).toEqual([{ matchExpressions: [notOnEdges] }])
})

test('its own terms stay, and each of them says it, since they are alternatives', () => {
  expect(termsOff(daemonSet([{ matchExpressions: [linux] }, { matchExpressions: [gpu] }]), LABEL)).toEqual([
    { matchExpressions: [linux, notOnEdges] },
    { matchExpressions: [gpu, notOnEdges] },
  ])
})

test('one that speaks of edges already is left alone', () => {
  expect(termsOff(daemonSet([{ matchExpressions: [linux, notOnEdges] }]), LABEL)).toBeUndefined()
})

test('kube-proxy and Pod networks are kept off edge nodes, and nothing else of the user', () => {
  const named = (namespace: string, name: string, path = '/var/log', nodeSelectorTerms?: object[]) => {
    const { spec } = daemonSet(nodeSelectorTerms)
    const volumes = [{ hostPath: { path } }]
    const template = { spec: { ...spec.template.spec, volumes } }
    return { metadata: { namespace, name }, spec: { template } } as DaemonSet
  }
  const off = [{ matchExpressions: [{ key: 'node-role.kubernetes.io/edge', operator: 'DoesNotExist' }] }]
  const found = networksOnEdges([
    named('kube-system', 'kube-proxy'),
    named('calico-system', 'calico-node', '/etc/cni/net.d'),
    named('kube-system', 'cilium', '/opt/cni/bin', off),
    named('default', 'logs'),
    named('default', 'kube-proxy'),
    { metadata: { namespace: 'default', name: 'edge-app' }, spec: { template: { spec: {} } } } as DaemonSet,
  ])
  expect(found.map(({ metadata }) => metadata.name)).toEqual(['kube-proxy', 'calico-node'])
})
