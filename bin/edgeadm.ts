#!/usr/bin/env node
/**
 * The executable's entry. `--version` is answered before anything heavy is loaded: scripts call it often.
 */
import { VERSION } from '../src/version.ts'

const argv = process.argv.slice(2)

// A closed pipe (`edgeadm … | head -1`) is the reader's choice, not a failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`edgeadm v${VERSION}\n`)
} else {
  void import('../src/cli.ts').then(({ main }) => main(argv))
}
