#!/usr/bin/env node
/**
 * The executable's entry. `--version` is answered before anything heavy is loaded: scripts call it often.
 */
import { leaveMissingDirectory, surviveLostOutput } from '../src/output/stdio.ts'
import { VERSION } from '../src/version.ts'

const argv = process.argv.slice(2)

surviveLostOutput()
leaveMissingDirectory()

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`edgeadm v${VERSION}\n`)
} else {
  void import('../src/cli.ts').then(({ main }) => main(argv))
}
