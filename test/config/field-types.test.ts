import { describe, expect, it } from 'vitest'
import { resolveInit, resolveJoin } from '../../src/config/load.ts'
import { initDocuments } from '../../src/kubernetes/kubeadm-config.ts'
import { input, problemsOf } from './fixtures.ts'

const v1beta3 = 'kubeadm.k8s.io/v1beta3'
const v1beta4 = 'kubeadm.k8s.io/v1beta4'
const document = (apiVersion: string, kind: string, body: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\n${body}\n`
const problems = (yaml: string) => problemsOf(() => resolveInit(input({ 'node-labels': ['a=b'] }, yaml)))

describe('extra arguments in the shape of another API version are refused by file, line and field', () => {
  it('a map in v1beta4', () =>
    expect(
      problems(document(v1beta4, 'InitConfiguration', 'nodeRegistration:\n  kubeletExtraArgs: {v: "2"}')),
    ).toEqual([
      'cluster.yaml:4: nodeRegistration.kubeletExtraArgs: must be a list, not a map; kubeadm.k8s.io/v1beta4 has "kubeletExtraArgs: [{name: NAME, value: VALUE}]", and v1beta3 the map',
    ]))

  it('a list in v1beta3', () =>
    expect(
      problems(
        document(
          v1beta3,
          'InitConfiguration',
          'nodeRegistration:\n  kubeletExtraArgs:\n  - {name: max-pods, value: "50"}',
        ),
      ),
    ).toEqual([
      'cluster.yaml:4: nodeRegistration.kubeletExtraArgs: must be a map, not a list; kubeadm.k8s.io/v1beta3 has "kubeletExtraArgs: {NAME: VALUE}", and v1beta4 the list of names and values',
    ]))

  it('on every component, and on join', () => {
    const args = 'apiServer: {extraArgs: {v: "2"}}\nscheduler: {extraArgs: {v: "2"}}'
    const found = problems(
      document(v1beta4, 'ClusterConfiguration', `${args}\netcd: {local: {extraArgs: {}}}`),
    )
    expect(found.map((line) => line.split(': must')[0])).toEqual([
      'cluster.yaml:3: apiServer.extraArgs',
      'cluster.yaml:4: scheduler.extraArgs',
      'cluster.yaml:5: etcd.local.extraArgs',
    ])
    const join = document(v1beta4, 'JoinConfiguration', 'nodeRegistration: {kubeletExtraArgs: {v: "2"}}')
    const flags = { token: 'abcdef.0123456789abcdef', 'discovery-token-unsafe-skip-ca-verification': true }
    expect(problemsOf(() => resolveJoin({ ...input(flags, join), endpoint: '10.0.0.1:6443' }))).toEqual([
      expect.stringContaining('nodeRegistration.kubeletExtraArgs: must be a list, not a map'),
    ])
  })
})

it('values that kubeadm could not read are named, the item of a list too', () => {
  const body = [
    'etcd: {local: {dataDir: 5}}',
    'apiServer: {extraVolumes: {name: x}}',
    'controllerManager: {extraArgs: [{name: v, value: 2}]}',
    'networking: []',
    'proxy: {disabled: "yes"}',
  ]
  expect(problems(document(v1beta4, 'ClusterConfiguration', body.join('\n')))).toEqual([
    'cluster.yaml:3: etcd.local.dataDir: must be a string, not the number 5; put it in quotes',
    'cluster.yaml:4: apiServer.extraVolumes: must be a list, not a map',
    'cluster.yaml:5: controllerManager.extraArgs[0].value: must be a string, not the number 2; put it in quotes',
    'cluster.yaml:6: networking: must be a map, not a list',
    'cluster.yaml:7: proxy.disabled: must be true or false, not the string "yes"',
  ])
  const kubelet = document('kubelet.config.k8s.io/v1beta1', 'KubeletConfiguration', 'failSwapOn: "false"')
  expect(problems(kubelet)).toEqual([
    'cluster.yaml:3: failSwapOn: must be true or false, not the string "false"',
  ])
})

it('each shape in its own version passes through, times without quotes too', () => {
  const older = document(
    v1beta3,
    'InitConfiguration',
    'nodeRegistration: {kubeletExtraArgs: {max-pods: "50"}}',
  )
  expect(initDocuments(resolveInit(input({ 'node-labels': ['a=b'] }, older)))).toContain('max-pods: "50"')
  const taint = '{key: a, effect: NoSchedule, timeAdded: 2024-01-01T00:00:00Z}'
  const newer = document(
    v1beta4,
    'InitConfiguration',
    `nodeRegistration: {kubeletExtraArgs: [{name: max-pods, value: "50"}], taints: [${taint}]}`,
  )
  expect(initDocuments(resolveInit(input({ 'node-labels': ['a=b'] }, newer)))).toContain('value: "50"')
})
