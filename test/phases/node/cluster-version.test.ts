import { expect, test } from 'vitest'
import { kubeletProblem } from '../../../src/phases/node/cluster-version.ts'

test.each([
  ['v1.33.13', 'v1.33.13'],
  ['v1.33.13', 'v1.33.1'],
  ['v1.30.0', 'v1.33.13'],
  ['v1.33.13', 'v1.33.13+k3s1'],
])('a kubelet %s may join %s', (kubelet, cluster) => {
  expect(kubeletProblem(kubelet, cluster)).toBeUndefined()
})

test.each([
  ['v1.34.0', 'v1.33.13', 'a kubelet must not be newer than the API server'],
  ['v1.29.9', 'v1.33.13', 'a kubelet may be 3 minor versions older than the API server, not more'],
])('a kubelet %s may not join %s', (kubelet, cluster, why) => {
  expect(kubeletProblem(kubelet, cluster)).toBe(
    `the cluster runs Kubernetes ${cluster}, and the package has ${kubelet}: ${why}`,
  )
})
