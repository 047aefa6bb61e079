import { describe, expect, test } from 'vitest'
import { hasFlannelNetwork, missingInCache, nodeFile } from '../../src/superedge/cache.ts'

/** As lite-apiserver 0.9.0 names them. */
const FILES = [
  'default_kube-public_configmaps_cluster-info_',
  'kube-proxy_v1.33.13__endpointslices___list',
  'kube-proxy_v1.33.13__services___list',
  'kubelet_v1.33.13__csinodes_edge-1_',
  'kubelet_v1.33.13__nodes_edge-1_',
  'kubelet_v1.33.13__pods___list',
]
const wanted = { node: 'edge-1', kubeProxy: true }

describe('missingInCache', () => {
  test('finds nothing missing in a full cache', () => {
    expect(missingInCache(FILES, wanted)).toEqual([])
  })

  test('names what a restart would want', () => {
    const without = FILES.filter((file) => !/csinodes|^kube-proxy\S+services/.test(file))
    expect(missingInCache(without, wanted)).toEqual(["the kubelet's CSINode", "kube-proxy's Services"])
  })

  test("takes another client's or another node's answer for none", () => {
    const others = ['kubeadm_v1.33.13__nodes_edge-1_', 'kubelet_v1.33.13__nodes_edge-12_']
    expect(missingInCache([...FILES.filter((file) => !/__nodes_/.test(file)), ...others], wanted)).toEqual([
      "the kubelet's node",
    ])
  })

  test('asks nothing of kube-proxy where there is none', () => {
    const without = FILES.filter((file) => !file.startsWith('kube-proxy'))
    expect(missingInCache(without, { node: 'edge-1', kubeProxy: false })).toEqual([])
  })

  test('a dot in a node name is a dot', () => {
    expect(nodeFile('flanneld', 'edge.1').test('flanneld_v0.28.4__nodes_edge.1_')).toBe(true)
    expect(nodeFile('flanneld', 'edge.1').test('flanneld_v0.28.4__nodes_edge-1_')).toBe(false)
  })
})

describe('hasFlannelNetwork', () => {
  const answer = (annotations: object) =>
    JSON.stringify({
      code: 200,
      header: {},
      body: Buffer.from(JSON.stringify({ kind: 'Node', metadata: { annotations } })).toString('base64'),
    })

  test('tells an answer from before flannel wrote to the node from one after', () => {
    expect(hasFlannelNetwork(answer({ 'node.alpha.kubernetes.io/ttl': '0' }))).toBe(false)
    const data = { 'flannel.alpha.coreos.com/backend-data': '{"VNI":1,"VtepMAC":"12:c6:65:89:b4:e3"}' }
    expect(hasFlannelNetwork(answer(data))).toBe(true)
  })
})
