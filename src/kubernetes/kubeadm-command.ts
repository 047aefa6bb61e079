import type { ResetSettings } from '../config/types.ts'
import { EdgeadmError } from '../output/errors.ts'
import { type KubeadmPhase, type KubeadmWorkflow, kubeadmPhases } from './kubeadm-phases.ts'

export interface PhaseCommandOptions {
  readonly kubernetesVersion: string
  /** The generated configuration file. */
  readonly configFile: string
}

/**
 * kubeadm's arguments to run one phase of `init` or `join`, or one part of it (`certs/ca`). No secret is among them.
 * @param name as in `kubeadmPhases`; a phase with parts runs all of them
 * @throws EdgeadmError class `usage` if this kubeadm has no such phase
 */
export function phaseCommand(
  workflow: 'init' | 'join',
  name: string,
  options: PhaseCommandOptions,
): string[] {
  const { kubernetesVersion, configFile } = options
  const phase = find(workflow, name, kubernetesVersion)
  const config = ['--config', configFile]
  if (phase.runAs === 'workflow')
    return [workflow, ...config, '--skip-phases', others(workflow, name, kubernetesVersion).join(',')]
  const path = phase.children ? [...pathOf(name), ...allOf(phase)] : pathOf(name)
  return [workflow, 'phase', ...path, ...config, ...(phase.flags ?? [])]
}

/**
 * kubeadm's arguments to run one phase of `reset`. Its sub-commands take no `--config`; flags do, unless the user's own
 * ResetConfiguration says what only a document can say.
 */
export function resetPhaseCommand(
  name: string,
  settings: ResetSettings,
  options: PhaseCommandOptions,
): string[] {
  find('reset', name, options.kubernetesVersion)
  if (settings.documents.ResetConfiguration)
    return [
      'reset',
      '--config',
      options.configFile,
      '--kubeconfig',
      settings.kubeconfig,
      '--skip-phases',
      others('reset', name, options.kubernetesVersion).join(','),
    ]
  const flags: Readonly<Record<string, readonly string[]>> = {
    // edgeadm has asked already.
    preflight: [
      '--force',
      ...(settings.ignorePreflightErrors.length > 0
        ? ['--ignore-preflight-errors', settings.ignorePreflightErrors.join(',')]
        : []),
    ],
    'remove-etcd-member': ['--kubeconfig', settings.kubeconfig],
    'cleanup-node': [
      '--cert-dir',
      settings.certDir,
      ...(settings.criSocket === undefined ? [] : ['--cri-socket', settings.criSocket]),
      ...(settings.cleanupTmpDir ? ['--cleanup-tmp-dir'] : []),
    ],
  }
  return ['reset', 'phase', name, ...(flags[name] ?? [])]
}

/** Of `upgrade apply` alone. */
const OF_THE_CLUSTER = ['upload-config', 'bootstrap-token']

/**
 * kubeadm's arguments to run one phase of `upgrade apply` or `upgrade node`, or one part of it (`addon/coredns`).
 * @throws EdgeadmError class `usage` if kubeadm has no such phase
 */
export function upgradePhaseCommand(
  workflow: 'apply' | 'node',
  name: string,
  { kubernetesVersion, configFile }: PhaseCommandOptions,
): string[] {
  const phase = find('upgrade', name, kubernetesVersion)
  const config = ['--config', configFile]
  if (phase.runAs === 'phase') {
    const path = phase.children ? [...pathOf(name), 'all'] : pathOf(name)
    return ['upgrade', workflow, 'phase', ...path, ...config]
  }
  const skipped = others('upgrade', name, kubernetesVersion).filter(
    (one) => workflow === 'apply' || !OF_THE_CLUSTER.includes(one),
  )
  const yes = workflow === 'apply' ? ['--yes'] : []
  return ['upgrade', workflow, ...config, ...yes, '--skip-phases', skipped.join(',')]
}

function find(workflow: KubeadmWorkflow, name: string, kubernetesVersion: string): KubeadmPhase {
  const phases = kubeadmPhases(workflow, kubernetesVersion)
  const found = phases.flatMap((one) => [one, ...(one.children ?? [])]).find((one) => one.name === name)
  if (!found)
    throw new EdgeadmError('usage', `kubeadm ${kubernetesVersion} has no phase "${name}" of ${workflow}`)
  return found
}

const pathOf = (name: string) => name.split('/')

/** A group with one part has no `all`. */
function allOf(phase: KubeadmPhase): string[] {
  const [first, ...rest] = phase.children ?? []
  if (!first) return []
  return rest.length === 0 && phase.name === 'etcd' ? [first.name.slice(phase.name.length + 1)] : ['all']
}

function others(workflow: KubeadmWorkflow, name: string, kubernetesVersion: string): string[] {
  return kubeadmPhases(workflow, kubernetesVersion)
    .map((one) => one.name)
    .filter((one) => one !== name)
}
