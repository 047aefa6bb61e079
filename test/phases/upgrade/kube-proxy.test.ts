import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { DaemonSet } from '../../../src/phases/edge/affinity.ts'
import { isLoose, type PodObject, staysInDrain } from '../../../src/phases/upgrade/cluster.ts'
import { withAffinity } from '../../../src/phases/upgrade/kube-proxy.ts'

const PRINTED = `apiVersion: v1
kind: ServiceAccount
metadata: { name: kube-proxy, namespace: kube-system }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: kube-proxy, namespace: kube-system }
data: { config.conf: "mode: iptables" }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: kube-proxy, namespace: kube-system }
spec:
  template:
    spec:
      containers: [{ name: kube-proxy, image: "registry.k8s.io/kube-proxy:v1.34.4" }]
`
const live = (affinity?: unknown) =>
  ({
    metadata: { name: 'kube-proxy', namespace: 'kube-system' },
    spec: { template: { spec: { affinity } } },
  }) as DaemonSet
const term = (key: string) => ({ matchExpressions: [{ key, operator: 'DoesNotExist' }] })
const affinityOf = (text: string) =>
  parseAllDocuments(text)
    .map((document) => document.toJS())
    .find(({ kind }) => kind === 'DaemonSet').spec.template.spec.affinity.nodeAffinity
    .requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms

test("what kubeadm would write gets the affinity of what is there, and edgeadm's if it has none", () => {
  const both = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              ...term('superedge.io/edge-node').matchExpressions,
              ...term('node-role.kubernetes.io/edge').matchExpressions,
            ],
          },
        ],
      },
    },
  }
  expect(affinityOf(withAffinity(PRINTED, live(both)))).toEqual(
    both.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms,
  )
  expect(affinityOf(withAffinity(PRINTED, live()))).toEqual([term('node-role.kubernetes.io/edge')])
  const kinds = parseAllDocuments(withAffinity(PRINTED, live())).map((document) => document.get('kind'))
  expect(kinds).toEqual(['ConfigMap', 'DaemonSet'])
  expect(() => withAffinity('kind: ConfigMap\n', live())).toThrow('did not print')
})

test('a drain leaves static Pods, those of DaemonSets and those that ended, and would lose Pods without a controller', () => {
  const pod = (metadata: object, phase = 'Running') =>
    ({
      metadata: { uid: 'u', name: 'p', namespace: 'd', ...metadata },
      spec: { containers: [] },
      status: { phase },
    }) as PodObject
  const owned = (kind: string) => ({ ownerReferences: [{ kind, controller: true }] })
  const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
  expect(
    [pod(mirror), pod(owned('DaemonSet')), pod({}, 'Succeeded'), pod(owned('ReplicaSet'))].map(staysInDrain),
  ).toEqual([true, true, true, false])
  expect([pod(mirror), pod(owned('ReplicaSet')), pod({}, 'Failed'), pod({})].map(isLoose)).toEqual([
    false,
    false,
    false,
    true,
  ])
})
