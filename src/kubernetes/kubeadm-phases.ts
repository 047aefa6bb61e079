/**
 * kubeadm's phases in the order it runs them, under its own names. Source: cmd/kubeadm/app/cmd/{init,join,reset,upgrade}.go and
 * cmd/phases of Kubernetes 1.33; `since` and `until` tell in which 1.x a phase came and went.
 */

import { isAtLeast } from '../config/versions.ts'

export type KubeadmWorkflow = 'init' | 'join' | 'reset' | 'upgrade'

export interface KubeadmPhase {
  /** Its path, as in `--skip-phases`: `certs`, `certs/ca`. */
  readonly name: string
  readonly title: string
  readonly children?: readonly KubeadmPhase[]
  /**
   * How it can be run alone. `phase`: `kubeadm init phase NAME --config F`. `workflow`: it has no sub-command (kubeadm hides
   * it) or one that takes no `--config`, so the whole workflow is run with all other phases skipped.
   */
  readonly runAs: 'phase' | 'workflow'
  /** Added to the command line; no secret among them. */
  readonly flags?: readonly string[]
  /** First Kubernetes 1.x that has it. */
  readonly since?: number
  /** First Kubernetes 1.x that no longer has it. */
  readonly until?: number
}

type Options = Partial<Omit<KubeadmPhase, 'name' | 'title' | 'children'>>

const phase = (name: string, title: string, options: Options = {}): KubeadmPhase => ({
  name,
  title,
  runAs: 'phase',
  ...options,
})

const group = (
  name: string,
  title: string,
  children: readonly (readonly [name: string, title: string, options?: Options])[],
): KubeadmPhase => ({
  ...phase(name, title),
  children: children.map(([child, childTitle, options]) => phase(`${name}/${child}`, childTitle, options)),
})

// Before 1.28 the kubelet was started first and waited for its static Pods' manifests.
const kubeletStart = (options: Options) =>
  phase('kubelet-start', 'Write kubelet settings and start the kubelet', options)

const init: readonly KubeadmPhase[] = [
  phase('preflight', 'Run pre-flight checks'),
  group('certs', 'Generate certificates', [
    ['ca', 'Generate the cluster CA'],
    ['apiserver', "Generate the API server's serving certificate"],
    ['apiserver-kubelet-client', "Generate the API server's client certificate for kubelets"],
    ['front-proxy-ca', 'Generate the front proxy CA'],
    ['front-proxy-client', "Generate the front proxy's client certificate"],
    ['etcd-ca', 'Generate the etcd CA'],
    ['etcd-server', "Generate etcd's serving certificate"],
    ['etcd-peer', "Generate etcd's certificate for its peers"],
    ['etcd-healthcheck-client', "Generate the client certificate for etcd's liveness probe"],
    ['apiserver-etcd-client', "Generate the API server's client certificate for etcd"],
    ['sa', 'Generate the key that signs service account tokens'],
  ]),
  group('kubeconfig', 'Generate kubeconfig files', [
    ['admin', 'Generate the kubeconfig file of the administrator'],
    ['super-admin', 'Generate the kubeconfig file of the super-administrator', { since: 29 }],
    ['kubelet', 'Generate the kubeconfig file with which the kubelet starts'],
    ['controller-manager', 'Generate the kubeconfig file of the controller manager'],
    ['scheduler', 'Generate the kubeconfig file of the scheduler'],
  ]),
  kubeletStart({ until: 28 }),
  group('etcd', 'Write the static Pod of etcd', [['local', 'Write the static Pod of a local etcd']]),
  group('control-plane', 'Write the static Pods of the control plane', [
    ['apiserver', 'Write the static Pod of the API server'],
    ['controller-manager', 'Write the static Pod of the controller manager'],
    ['scheduler', 'Write the static Pod of the scheduler'],
  ]),
  kubeletStart({ since: 28 }),
  phase('wait-control-plane', 'Wait for the control plane', { runAs: 'workflow' }),
  group('upload-config', 'Upload the configuration', [
    ['kubeadm', "Upload kubeadm's ClusterConfiguration"],
    ['kubelet', "Upload the kubelet's configuration"],
  ]),
  // kubeadm would print the key and the token, and its output goes into the log.
  phase('upload-certs', 'Upload the certificates, encrypted', {
    flags: ['--upload-certs', '--skip-certificate-key-print'],
  }),
  phase('mark-control-plane', 'Mark the node as a control plane'),
  phase('bootstrap-token', 'Make the bootstrap token and what it needs', { flags: ['--skip-token-print'] }),
  group('kubelet-finalize', "Update the kubelet's settings after TLS bootstrap", [
    ['enable-client-cert-rotation', "Rotate the kubelet's client certificate", { since: 32 }],
    ['experimental-cert-rotation', "Rotate the kubelet's client certificate", { until: 32 }],
  ]),
  group('addon', 'Install the add-ons', [
    ['coredns', 'Install CoreDNS'],
    ['kube-proxy', 'Install kube-proxy'],
  ]),
  phase('show-join-command', 'Show the join command', { runAs: 'workflow', since: 24 }),
]

const join: readonly KubeadmPhase[] = [
  phase('preflight', 'Run pre-flight checks for joining'),
  group('control-plane-prepare', 'Prepare the machine for a control plane', [
    ['download-certs', 'Download the certificates that masters share'],
    ['certs', "Generate this control plane's certificates"],
    ['kubeconfig', "Generate this control plane's kubeconfig files"],
    ['control-plane', "Write this control plane's static Pods"],
  ]),
  phase('check-etcd', 'Check that etcd is healthy', { runAs: 'workflow' }),
  phase('kubelet-start', 'Write kubelet settings and start the kubelet'),
  phase('etcd-join', 'Join etcd', { since: 31 }),
  phase('kubelet-wait-bootstrap', 'Wait for the kubelet to get its certificate', {
    runAs: 'workflow',
    since: 31,
  }),
  group('control-plane-join', 'Join as a control plane', [
    ['etcd', 'Join etcd', { until: 36 }],
    ['update-status', 'Register the new control plane', { until: 31 }],
    ['mark-control-plane', 'Mark the node as a control plane'],
  ]),
  phase('wait-control-plane', 'Wait for the control plane', { runAs: 'workflow', since: 30 }),
]

const reset: readonly KubeadmPhase[] = [
  phase('preflight', 'Run pre-flight checks for resetting'),
  phase('remove-etcd-member', 'Remove the local etcd member'),
  phase('cleanup-node', "Remove kubeadm's files and the node's containers"),
]

/** The same names for `upgrade apply` and `upgrade node`; the latter lacks those of the cluster as a whole. */
const upgrade: readonly KubeadmPhase[] = [
  phase('preflight', 'Run pre-flight checks for upgrading'),
  phase('control-plane', 'Upgrade the static Pods of the control plane'),
  group('upload-config', 'Upload the configuration', [
    ['kubeadm', "Upload kubeadm's ClusterConfiguration"],
    ['kubelet', "Upload the kubelet's configuration"],
  ]),
  phase('kubeconfig', 'Upgrade the kubeconfig files', { runAs: 'workflow' }),
  phase('kubelet-config', "Upgrade this node's kubelet configuration"),
  phase('bootstrap-token', 'Upgrade the rights of bootstrap tokens'),
  group('addon', 'Upgrade the add-ons', [
    ['coredns', 'Upgrade CoreDNS'],
    ['kube-proxy', 'Upgrade kube-proxy'],
  ]),
  phase('post-upgrade', 'Do what this release asks for after an upgrade'),
]

export const KUBEADM_PHASES: Readonly<Record<KubeadmWorkflow, readonly KubeadmPhase[]>> = {
  init,
  join,
  reset,
  upgrade,
}

/** The phases that the kubeadm of this release has, with those of their children that it has. */
export function kubeadmPhases(workflow: KubeadmWorkflow, kubernetesVersion: string): readonly KubeadmPhase[] {
  const has = ({ since = 0, until }: KubeadmPhase) =>
    isAtLeast(kubernetesVersion, since) && (until === undefined || !isAtLeast(kubernetesVersion, until))
  return KUBEADM_PHASES[workflow]
    .filter(has)
    .map((one) => (one.children ? { ...one, children: one.children.filter(has) } : one))
}
