/** kubeadm's own phases of reset, by its own names and as sub-process. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resetPhaseCommand } from '../../kubernetes/kubeadm-command.ts'
import { resetDocuments } from '../../kubernetes/kubeadm-config.ts'
import { KUBEADM_PHASES } from '../../kubernetes/kubeadm-phases.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { KUBEADM_ENV } from '../context.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/** Milliseconds. With a dead API server each phase takes seconds; a hanging mount or runtime must not hang reset. */
const LIMIT = 180_000

export function kubeadmReset(name: string): Phase<ResetContext> {
  const title = KUBEADM_PHASES.reset.find((phase) => phase.name === name)?.title
  if (title === undefined) throw new EdgeadmError('internal', `kubeadm reset has no phase ${name}`)
  return {
    name,
    title,
    runIf: ({ facts }) => {
      if (facts.role === undefined) return 'this machine is not a node'
      return facts.kubeadm === undefined ? 'there is no kubeadm on this machine any more' : true
    },
    run: async (ctx) => {
      const { host, settings, facts, emit, ledger } = ctx
      if (facts.kubeadm === undefined) return
      const { path, version } = facts.kubeadm
      const configFile = join(ledger.directory, 'reset.yaml')
      const documents = resetDocuments(settings, version)
      if (documents !== undefined && !settings.dryRun) await writeFile(configFile, documents, { mode: 0o600 })
      try {
        await host.run(path, resetPhaseCommand(name, settings, { kubernetesVersion: version, configFile }), {
          title: `kubeadm reset phase ${name}`,
          undo: null,
          env: KUBEADM_ENV,
          timeout: LIMIT,
          onLine: (text) => emit({ type: 'output', text }),
        })
      } catch (error) {
        if (!(error instanceof EdgeadmError) || error.class !== 'phase') throw error
        // What it leaves the next phases remove or name; a half-made node must not keep reset from going on.
        const [last = ''] = error.details.slice(-1)
        emit({ type: 'warning', text: `kubeadm failed in its phase ${name}, reset goes on: ${last}` })
      }
    },
  }
}
