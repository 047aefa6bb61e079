import type { BackupIndex } from '../backup/format.ts'
import type { PhaseContext } from '../workflow.ts'

/** What the phases of `restore` are given, on a machine that is a master still. */
export interface RestoreContext extends PhaseContext {
  readonly settings: { readonly dryRun: boolean }
  readonly backup: OpenBackup
  readonly facts: {
    readonly nodeName: string
    /** `host:port` of this master's API server. */
    readonly apiServer: string
    readonly pki: string
  }
}

export interface OpenBackup {
  readonly index: BackupIndex
  /** Where it is unpacked. */
  readonly directory: string
}

/**
 * By how much the revision rises: more than any cluster writes between a backup and its loss. Clients that remember a later
 * revision than the restored one would else wait for it, and never see that they are in the past.
 * (etcd documentation, "Disaster recovery", restoring with a revision bump.)
 */
export const REVISION_BUMP = 1_000_000_000
