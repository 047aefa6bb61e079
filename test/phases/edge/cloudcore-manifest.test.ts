import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import type { InitFlags } from '../../../src/config/flags.ts'
import { type ClusterFacts, parseClusterFacts } from '../../../src/kubeedge/cluster-facts.ts'
import type { Master } from '../../../src/kubernetes/masters.ts'
import type { PackageManifest } from '../../../src/package/index.ts'
import type { InitContext } from '../../../src/phases/context.ts'
import { cloudCoreManifest, type Found, NOTHING_FOUND } from '../../../src/phases/edge/cloudcore-manifest.ts'
import { initOn, machine } from '../node/machine.ts'

interface Object {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: {
    readonly template: { readonly spec: { readonly affinity: { readonly nodeAffinity: unknown } } }
  }
}

const images = ['kubeedge/cloudcore:v1', 'kubeedge/iptables-manager-nft:v1', 'k8s/pause:3.10']
const manifest = {
  components: [{ name: 'kubeedge', version: 'v1.23.1' }],
  images: images.map((name) => ({ name: `registry.invalid/${name}`, digest: '', size: 0 })),
  files: [{ path: 'bin/edgecore' }],
} as unknown as PackageManifest
const master = (node: string): Master => ({
  node,
  address: '10.0.0.11',
  apiServer: '10.0.0.11:6443',
  relayAddresses: [],
})

function made(found: Partial<Found> = {}, flags: InitFlags = {}, yaml?: string) {
  const context = { ...initOn(machine(), flags, yaml), manifest } as InitContext
  const { text, inputs } = cloudCoreManifest(context, { ...NOTHING_FOUND, masters: [master('m1')], ...found })
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Object)
  const named = (kind: string, name: string) =>
    objects.find((one) => one.kind === kind && one.metadata.name === name)
  const facts = parseClusterFacts(named('ConfigMap', 'edgeadm-edge')?.data?.['edge.json']) as ClusterFacts
  const configuration = parse(named('ConfigMap', 'cloudcore')?.data?.['cloudcore.yaml'] ?? '')
  return { text, inputs, named, facts, configuration }
}

test('CloudCore and the way of logs and exec are placed by the names of the masters on record, and by no label', () => {
  for (const virtualAddress of [undefined, '10.0.0.100']) {
    const { named, text } = made({ masters: [master('m1'), master('m2')], virtualAddress })
    const terms = ['m1', 'm2'].map((name) => ({
      matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }],
    }))
    for (const workload of [
      named(virtualAddress === undefined ? 'Deployment' : 'DaemonSet', 'cloudcore'),
      named('DaemonSet', 'cloud-iptables-manager'),
    ])
      expect(workload?.spec?.template.spec.affinity.nodeAffinity).toMatchObject({
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
      })
    expect(text).not.toContain('node-role.kubernetes.io/control-plane')
  }
})

test('a master that comes changes where it may run and not what it runs with', () => {
  const one = made({ virtualAddress: '10.0.0.100' })
  const two = made({ virtualAddress: '10.0.0.100', masters: [master('m1'), master('m2')] })
  expect(two.text).not.toBe(one.text)
  expect(two.inputs).toBe(one.inputs)
  expect(made({}, { 'edge-stream': false }).inputs).not.toBe(made().inputs)
})

test('--edge-stream=false leaves nothing of the way, and a later run keeps it so', () => {
  const off = made({}, { 'edge-stream': false })
  expect(off.configuration.modules.cloudStream.enable).toBe(false)
  expect(off.named('DaemonSet', 'cloud-iptables-manager')).toBeUndefined()
  expect(off.text).not.toMatch(/containerPort: 1000[34]/)
  expect(off.facts.stream).toBe(false)
  expect(made({ earlier: off.facts }).facts.stream).toBe(false)
  expect(made({ earlier: off.facts }, { 'edge-stream': true }).facts.stream).toBe(true)
})

test("the user's part of the configuration is merged in, and a later run keeps it", () => {
  const yaml = `
apiVersion: edgeadm.io/v1alpha1
kind: EdgeConfiguration
cloudCore: {modules: {cloudHub: {nodeLimit: 5000, edgeCertSigningDuration: 30}}}
edgeCore: {modules: {eventBus: {enable: true}}}
`
  const first = made({}, {}, yaml)
  expect(first.configuration.modules.cloudHub).toMatchObject({
    nodeLimit: 5000,
    edgeCertSigningDuration: 30,
    authorization: { enable: true },
  })
  const second = made({ earlier: first.facts })
  expect(second.configuration).toEqual(first.configuration)
  expect(second.facts.components).toEqual(first.facts.components)
})
