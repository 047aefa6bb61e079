import { checkPair } from '../../kubeedge/versions.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { missingAdditions } from '../../package/index.ts'
import type { InitContext } from '../context.ts'
import { type Phase, trustJournal } from '../workflow.ts'
import { meshImages } from './mesh/images.ts'
import { CLOUDCORE_IMAGE, requiredEdgeParts, withEdge } from './with-edge.ts'

/** Before anything is changed: has the package what the edge needs, and do its versions go together? */
export const edgePartsCheck: Phase<InitContext> = {
  name: 'edge/checks',
  title: 'Check the edge parts of the package',
  runIf: (ctx) => {
    // Throws if it was asked for and cannot be had.
    meshImages(ctx)
    const reason = withEdge(ctx)
    if (ctx.settings.cloudSide && ctx.settings.edge.runtime === 'kubeedge' && reason !== true)
      ctx.emit({
        type: 'warning',
        text: `${reason}: the cluster gets no cloud side for edge nodes; --enable-edge=false says that this is meant`,
      })
    return reason
  },
  verify: trustJournal,
  run: async (ctx) => {
    const verdict = checkPair(requiredEdgeParts(ctx).version, ctx.settings.kubernetesVersion)
    if (verdict.state === 'doubtful') ctx.emit({ type: 'warning', text: verdict.reason })
    await checkContained(ctx)
  },
}

/** What is open because the package's CloudCore was not built by edgeadm, with its additions to upstream's source. */
async function checkContained({ manifest, settings, emit }: InitContext): Promise<void> {
  const open = await missingAdditions(manifest, CLOUDCORE_IMAGE)
  if (open.length === 0) return
  const what = "the package's CloudCore is its publisher's own, without edgeadm's additions"
  if (settings.edge.requireContained)
    throw new EdgeadmError('package', `${what}, and --require-contained was given`, {
      details: open,
      fix: 'use a package that was built where Go is installed: `edgeadm package build` says which components come without additions',
    })
  emit({ type: 'warning', text: `${what}. ${open.join(' ')} --require-contained refuses such a package.` })
}
