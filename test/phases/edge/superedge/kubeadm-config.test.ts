import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { resolveJoin } from '../../../../src/config/load.ts'
import { joinDocuments } from '../../../../src/kubernetes/kubeadm-config.ts'
import { throughLiteApiserver } from '../../../../src/phases/edge/superedge/kubeadm-config.ts'
import { render } from '../../../../src/templates.ts'
import { input } from '../../../config/fixtures.ts'

const TOKEN = 'abcdef.0123456789abcdef'

test('kubeadm knows no API server but lite-apiserver, and the kubelet labels its node', () => {
  const settings = resolveJoin({
    endpoint: '10.0.0.20:6443',
    ...input({
      token: TOKEN,
      'discovery-token-ca-cert-hash': [`sha256:${'0a'.repeat(32)}`],
      'edge-runtime': 'superedge',
      'node-labels': ['site=north'],
    }),
  })
  const document = parse(joinDocuments(throughLiteApiserver(settings)))
  expect(document.discovery).toEqual({
    file: { kubeConfigPath: '/etc/lite-apiserver/discovery.conf' },
    tlsBootstrapToken: TOKEN,
  })
  expect(document.nodeRegistration.kubeletExtraArgs).toEqual([
    { name: 'node-labels', value: 'site=north,superedge.io/edge-node=enable' },
    { name: 'node-ip', value: '10.0.0.10' },
  ])
  expect(JSON.stringify(document)).not.toContain('10.0.0.20')
})

test('a kubelet that would take lists as watches is told not to', () => {
  const dropIn = (watchLists: boolean) => render('edge/superedge/20-lite-apiserver.conf', { watchLists })
  expect(dropIn(true)).toContain('--feature-gates=WatchListClient=false')
  expect(dropIn(false)).not.toContain('[Service]')
})
