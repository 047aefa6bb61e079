import { applyManifest } from '../../kubernetes/kubectl.ts'
import { templateText } from '../../templates.ts'
import type { InitContext } from '../context.ts'
import { type Phase, trustJournal } from '../workflow.ts'
import { withEdge } from './with-edge.ts'

/** KubeEdge's own, as they come with its source (build/crds). */
const DEFINITIONS = [
  'apps_v1alpha1_edgeapplication',
  'apps_v1alpha1_nodegroup',
  'cluster_objectsync_v1alpha1',
  'devices_v1beta1_device',
  'devices_v1beta1_devicemodel',
  'devices_v1beta1_devicestatus',
  'objectsync_v1alpha1',
  'operations_v1alpha2_configupdatejob',
  'operations_v1alpha2_imageprepulljob',
  'operations_v1alpha2_nodeupgradejob',
  'policy_v1alpha1_serviceaccountaccess',
  'router_v1_rule',
  'router_v1_ruleEndpoint',
] as const

const OBJECTS = [
  'namespace.yaml',
  'rbac.yaml',
  'serving-csr-policy.yaml',
  'metaserver-mode-policy.yaml',
  'node-policy.yaml',
] as const

/** Custom resources, namespace, roles, and what nodes and CloudCore may not do: what has to be there before CloudCore. */
export const edgeCustomResources: Phase<InitContext> = {
  name: 'edge/custom-resources',
  title: "Apply KubeEdge's custom resources and roles",
  runIf: withEdge,
  inputs: manifest,
  verify: trustJournal,
  run: async ({ host }) => applyManifest(host, 'custom resources and roles of KubeEdge', manifest()),
}

function manifest(): string {
  return [
    ...OBJECTS.map((name) => templateText(`edge/cloud/${name}`)),
    ...DEFINITIONS.map((name) => templateText(`edge/crds/${name}.yaml`)),
  ].join('\n---\n')
}
