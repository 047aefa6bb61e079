/** Standard output and standard error may go away in the middle of a run; the run goes on to its end. */

/** Nobody reads any more: the pipe is closed (`| head`), or the terminal is gone (an SSH connection broke). */
const NOBODY_READS = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'])

/**
 * To be called first of all. What cannot be written is dropped, and the exit code stays that of the run: a half-made node
 * because of `| head` would be worse. Another reason (a full disk) is said on the other stream, once.
 */
export function surviveLostOutput(
  stdout: NodeJS.WritableStream = process.stdout,
  stderr: NodeJS.WritableStream = process.stderr,
): void {
  for (const [name, stream, other] of [
    ['standard output', stdout, stderr],
    ['standard error', stderr, stdout],
  ] as const) {
    let isSaid = false
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (isSaid || NOBODY_READS.has(error.code ?? '')) return
      isSaid = true
      other.write(`W ${name} cannot be written: ${error.message}\n`)
    })
  }
}

/** The caller's directory may be removed by now; whatever asks for it would end with an error that names nothing. */
export function leaveMissingDirectory(): void {
  try {
    process.cwd()
  } catch {
    process.chdir('/')
  }
}
