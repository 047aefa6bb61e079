/** What `edgeadm check security` finds. */

/** Who is asked about: what somebody has, or where he is. */
export type Position =
  | 'root on an edge node'
  | 'holder of a bootstrap token'
  | 'Pod or user on an edge node'
  | 'anybody on the network'

export interface Finding {
  readonly position: Position
  /** What is looked at, as a sentence that is true where it is closed. */
  readonly what: string
  /** `open`: it is not so. `told`: it is so on purpose, and good to know. `unknown`: it cannot be found out from here. */
  readonly state: 'closed' | 'open' | 'told' | 'unknown'
  /** Names, reasons; empty if there is nothing to say. */
  readonly detail: string
  /** How to close it. */
  readonly fix?: string
}

/** Closed, or open with what was found. */
export function judged(position: Position, what: string, found: readonly string[], fix: string): Finding {
  if (found.length === 0) return { position, what, state: 'closed', detail: '' }
  return { position, what, state: 'open', detail: found.join(', '), fix }
}

const WORDS = { closed: 'ok  ', open: 'OPEN', told: 'note', unknown: '?   ' } as const

export function findingsText(findings: readonly Finding[]): string {
  const positions = [...new Set(findings.map(({ position }) => position))]
  return positions
    .map((position) =>
      [
        position,
        ...findings
          .filter((finding) => finding.position === position)
          .flatMap(({ state, what, detail, fix }) => [
            `  ${WORDS[state]}  ${what}${detail === '' ? '' : `: ${detail}`}`,
            ...(fix === undefined ? [] : [`        ${fix}`]),
          ]),
      ].join('\n'),
    )
    .join('\n')
}
