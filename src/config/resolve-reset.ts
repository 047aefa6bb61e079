import { checkDocuments } from './check-documents.ts'
import type { ResetFlags } from './flags.ts'
import { field } from './inputs.ts'
import {
  absolutePath,
  DEFAULT_CERT_DIR,
  edge,
  type ResolveInput,
  resolveIgnored,
  startResolution,
  userDocuments,
} from './resolve-common.ts'
import { resolveCriSocket } from './resolve-node.ts'
import type { ResetSettings } from './types.ts'
import { resolveVersion } from './versions.ts'

const reset = (path: string) => field('ResetConfiguration', path)

/**
 * Flags and file to the settings of `reset`. A flag beats the file.
 * @throws EdgeadmError class `usage` with every problem there is
 */
export function resolveReset(input: Omit<ResolveInput<ResetFlags>, 'facts'>): ResetSettings {
  const { flags, file, versions } = input
  const resolution = startResolution(flags, file)
  const { inputs, problems, warnings } = resolution
  const version = resolveVersion(undefined, versions)
  checkDocuments(resolution, 'version' in version ? version.version : '', ['ResetConfiguration'])
  const settings: ResetSettings = {
    command: 'reset',
    force: inputs.bool('force', reset('force'))?.value ?? false,
    removeNode: inputs.bool('remove-node', edge('reset.removeNode'))?.value ?? false,
    certDir: absolutePath(resolution, inputs.text('cert-dir', reset('certificatesDir'))) ?? DEFAULT_CERT_DIR,
    criSocket: resolveCriSocket(resolution, reset('criSocket')),
    cleanupTmpDir: inputs.bool('cleanup-tmp-dir', reset('cleanupTmpDir'))?.value ?? false,
    kubeconfig: absolutePath(resolution, inputs.text('kubeconfig')) ?? '/etc/kubernetes/admin.conf',
    dryRun: inputs.bool('dry-run', reset('dryRun'))?.value ?? false,
    skipPhases: inputs.list('skip-phases', reset('skipPhases'))?.value ?? [],
    ignorePreflightErrors: resolveIgnored(resolution, reset('ignorePreflightErrors')),
    documents: userDocuments(file, ['ResetConfiguration']),
    warnings,
  }
  problems.throwIfAny()
  return settings
}
