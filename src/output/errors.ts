/**
 * The one error type of edgeadm. Everything a user can meet is an `EdgeadmError`: it says what happened and where
 * (`message`), how to fix it (`fix`), and belongs to one documented class with its own exit code.
 * Any other error that reaches the top is a defect of edgeadm and is reported as class `internal`.
 */

/** Class of failure -> exit code. Documented in docs/troubleshooting.md; numbers never change their meaning. */
export const EXIT_CODES = {
  /** A defect of edgeadm itself. */
  internal: 1,
  /** Wrong flag, argument or configuration; nothing was changed. */
  usage: 2,
  /** The machine or the cluster is not fit for the command; nothing was changed. */
  preflight: 3,
  /** The package is missing, damaged, or not for this machine or version; nothing was changed. */
  package: 4,
  /** Another run of edgeadm holds this machine's lock; nothing was changed. */
  locked: 5,
  /** The control plane cannot be reached or trusted: address, token, CA hash, clock. */
  discovery: 6,
  /** A phase failed after changes had begun; run the same command again to go on, or `edgeadm reset`. */
  phase: 7,
  /** Something was awaited and did not come; the message carries the cause that was found. */
  timeout: 8,
  /** `reset` finished but some things could not be put back; they are listed. */
  residue: 9,
  /** `status --drift`, `plan -f`, `upgrade plan`: something is not as it should be, or there is something to do; nothing was changed. */
  drift: 10,
  /** A run over many hosts: some failed; each is named. */
  hosts: 11,
  /** A run over many hosts: some did not answer, and all others are done. */
  unreachable: 12,
  /** `status`, `certs status`: something needs hands, now or soon; nothing was changed. */
  attention: 13,
  /** Ctrl-C (SIGINT). */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
} as const

export type ErrorClass = keyof typeof EXIT_CODES

export interface EdgeadmErrorOptions {
  /** The command or the step that mends it, one sentence. */
  readonly fix?: string
  /** Further lines: one per problem, log excerpts. */
  readonly details?: readonly string[]
  readonly cause?: unknown
}

export class EdgeadmError extends Error {
  readonly class: ErrorClass
  readonly fix: string | undefined
  readonly details: readonly string[]

  /** @param message what is wrong and where, one sentence without a final full stop */
  constructor(errorClass: ErrorClass, message: string, options: EdgeadmErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'EdgeadmError'
    this.class = errorClass
    this.fix = options.fix
    this.details = options.details ?? []
  }

  get exitCode(): number {
    return EXIT_CODES[this.class]
  }
}

/** What any thrown value says, in one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
