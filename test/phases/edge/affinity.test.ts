import { expect, test } from 'vitest'
import { type DaemonSet, termsOff } from '../../../src/phases/edge/affinity.ts'

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
