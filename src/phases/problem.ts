import type { NodeContext } from './context.ts'

/** What a check found; all of them are reported at once, before the first change. */
export interface Problem {
  /** As typed in `--ignore-preflight-errors`. */
  readonly check: string
  readonly severity: 'error' | 'warning'
  /** What is wrong and how to mend it. */
  readonly text: string
}

export type Check = (ctx: NodeContext) => Promise<Problem[]>
