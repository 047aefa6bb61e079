import { EdgeadmError, messageOf } from '../output/errors.ts'

const DISK_FULL = /no space left on device|ENOSPC|disk quota exceeded|EDQUOT/i

/**
 * What a user reads when a phase has failed: an error of edgeadm as it is, with the way on if it names none; anything else
 * under the phase's name.
 * @param preliminary nothing was changed yet
 */
export function phaseFailure(phase: string, error: unknown, preliminary: boolean): EdgeadmError {
  const known = error instanceof EdgeadmError ? error : undefined
  const details = known?.details ?? []
  if ([messageOf(error), ...details].some((text) => DISK_FULL.test(text))) {
    return new EdgeadmError(
      known?.class ?? (preliminary ? 'preflight' : 'phase'),
      `phase ${phase}: no space is left on the disk`,
      {
        details: [...(known === undefined ? [] : [known.message]), ...details],
        fix: 'free some (`df -h /var/lib /var/lib/containerd /tmp` shows where), and run the same command again: it goes on here',
        cause: error,
      },
    )
  }
  if (known !== undefined && (known.class !== 'phase' || known.fix !== undefined)) return known
  return new EdgeadmError('phase', known?.message ?? `phase ${phase}: ${messageOf(error)}`, {
    details,
    fix: `mend the cause and run the same command again: it goes on at phase ${phase}; \`edgeadm reset\` goes back`,
    cause: error,
  })
}
