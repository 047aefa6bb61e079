import { expect, test } from 'vitest'
import { checkPair } from '../../src/kubeedge/versions.ts'

test.each([
  ['v1.23.1', 'v1.32.4', 'good'],
  ['v1.23.1', 'v1.33.13', 'good'],
  ['v1.23.1', 'v1.34.0', 'doubtful'],
  ['v1.23.1', 'v1.36.1', 'refused'],
  ['v1.23.1', 'v1.28.3', 'refused'],
  ['v1.21.2', 'v1.29.9', 'refused'],
  ['v1.21.2', 'v1.30.1', 'good'],
  ['v1.23.0', 'v1.32.4', 'refused'],
  ['v1.10.0', 'v1.32.4', 'refused'],
])('KubeEdge %s with Kubernetes %s is %s', (kubeEdge, kubernetes, state) => {
  expect(checkPair(kubeEdge, kubernetes).state).toBe(state)
})
