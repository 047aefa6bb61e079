import { messageOf } from '../../output/errors.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/**
 * A phase whose failure does not keep the later ones from putting back the rest: it goes into the report as residue, so the
 * run ends with exit code 9, and another reset tries it again. Ctrl-C stops as ever.
 */
export function goingOn(phase: Phase<ResetContext>): Phase<ResetContext> {
  return {
    ...phase,
    run: async (ctx) => {
      try {
        await phase.run(ctx)
      } catch (error) {
        ctx.signal.throwIfAborted()
        const why = messageOf(error)
        ctx.emit({ type: 'warning', text: `${phase.name} failed, reset goes on: ${why}` })
        ctx.residue.push({ what: `phase ${phase.name}`, why })
      }
    },
  }
}
