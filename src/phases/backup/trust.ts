import * as fs from 'node:fs/promises'
import type { Reporting } from '../../output/events.ts'

/** Whoever may write to a backup decides what is restored. */
export async function warnIfOthersWrite(path: string, emit: Reporting['emit']): Promise<void> {
  const stat = await fs.stat(path).catch(() => undefined)
  if (stat === undefined || (stat.uid === 0 && (stat.mode & 0o022) === 0)) return
  emit({
    type: 'warning',
    text: `others than root may write to ${path}: whoever does decides what is restored from it`,
  })
}
