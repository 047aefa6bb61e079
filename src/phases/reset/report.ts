import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { planOf, type Residue } from '../../host/undo.ts'
import { VERSION } from '../../version.ts'
import type { ResetContext } from './context.ts'

/**
 * What was put back and what is left, for programs: `reset-report-<time>.json` beside the log, mode 0600. Resolves with
 * its path.
 */
export async function writeReport(
  directory: string,
  { facts, ledger }: ResetContext,
  residue: readonly Residue[],
): Promise<string> {
  const time = new Date().toISOString()
  const left = new Set((await ledger.entries()).map(({ id }) => id))
  const report = {
    schema: 'edgeadm.io/reset-report/v1alpha1',
    time,
    version: VERSION,
    node: facts.nodeName,
    clean: residue.length === 0,
    residue,
    restored: (await ledger.history())
      .filter(({ id }) => !left.has(id))
      .reverse()
      .map((entry) => ({ phase: entry.phase, ...planOf(entry) })),
  }
  await mkdir(directory, { recursive: true, mode: 0o750 })
  const path = join(directory, `reset-report-${time.replace(/[-:]/g, '').replace(/\.\d+/, '')}.json`)
  await writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`, { mode: 0o600, flush: true })
  return path
}
