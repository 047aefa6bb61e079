import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { planOf, type Residue } from '../../host/undo.ts'
import { messageOf } from '../../output/errors.ts'
import { VERSION } from '../../version.ts'
import type { ResetContext } from './context.ts'

/**
 * What was put back and what is left, for programs: `reset-report-<time>.json` beside the log, mode 0600. Resolves with
 * its path, or undefined if it cannot be written: a full disk of logs must not keep a machine from being put back.
 */
export async function writeReport(
  directory: string,
  { facts, ledger, emit }: ResetContext,
  residue: readonly Residue[],
): Promise<string | undefined> {
  const time = new Date().toISOString()
  const left = new Set((await ledger.entries()).map(({ id }) => id))
  const report = {
    schema: 'edgeadm.io/reset-report/v1alpha1',
    time,
    version: VERSION,
    node: facts.nodeName,
    clean: residue.every(({ theirs }) => theirs === true),
    residue: residue.filter(({ theirs }) => theirs !== true),
    /** Changed by somebody else after edgeadm, and left as they want it. */
    kept: residue.filter(({ theirs }) => theirs === true),
    restored: (await ledger.history())
      .filter(({ id, isTheirs }) => !left.has(id) && isTheirs !== true)
      .reverse()
      .map((entry) => ({ phase: entry.phase, ...planOf(entry) })),
  }
  const path = join(directory, `reset-report-${time.replace(/[-:]/g, '').replace(/\.\d+/, '')}.json`)
  try {
    await mkdir(directory, { recursive: true, mode: 0o750 })
    await writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`, { mode: 0o600, flush: true })
    return path
  } catch (error) {
    emit({ type: 'warning', text: `${path} cannot be written: ${messageOf(error)}` })
    return undefined
  }
}
