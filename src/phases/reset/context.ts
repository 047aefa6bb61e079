import type { ResetSettings } from '../../config/types.ts'
import type { Ledger } from '../../host/ledger.ts'
import type { Machine } from '../../host/machine.ts'
import type { Residue } from '../../host/undo.ts'
import type { PhaseContext } from '../workflow.ts'
import type { ResetFacts } from './facts.ts'

/** What the phases of `reset` are given. */
export interface ResetContext extends PhaseContext {
  readonly settings: ResetSettings
  /** What was found on the machine before the first change. */
  readonly facts: ResetFacts
  readonly ledger: Ledger
  /** For the ledger alone, which takes back what it recorded; phases change things through `host`. */
  readonly machine: Machine
  /** What could not be put back so far; the last phase reports it. */
  readonly residue: Residue[]
}
