import { expect, test } from 'vitest'
import { type DaemonSet, termsOffEdges } from '../../../src/phases/edge/affinity.ts'

const notOnEdges = { key: 'node-role.kubernetes.io/edge', operator: 'DoesNotExist' }
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
  expect(termsOffEdges(daemonSet())).toEqual([{ matchExpressions: [notOnEdges] }])
})

test('its own terms stay, and each of them says it, since they are alternatives', () => {
  expect(termsOffEdges(daemonSet([{ matchExpressions: [linux] }, { matchExpressions: [gpu] }]))).toEqual([
    { matchExpressions: [linux, notOnEdges] },
    { matchExpressions: [gpu, notOnEdges] },
  ])
})

test('one that speaks of edges already is left alone', () => {
  expect(termsOffEdges(daemonSet([{ matchExpressions: [linux, notOnEdges] }]))).toBeUndefined()
})
