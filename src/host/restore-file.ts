import { applyPatch, reversePatch, structuredPatch } from 'diff'
import type { Before, Ledger, LedgerEntry } from './ledger.ts'
import type { Machine } from './machine.ts'
import { isFingerprint } from './still-ours.ts'

type FileEntry = LedgerEntry & { kind: 'file'; before: Before & { type: 'file' } }

/**
 * Brings a file back as it was. Where somebody else has changed it since edgeadm did, only edgeadm's own change is taken
 * out: a line that an administrator added to /etc/hosts meanwhile is not edgeadm's to lose.
 * @returns why it could not be done; undefined when it was
 */
export async function restoreFile(
  machine: Machine,
  ledger: Ledger,
  { path, before, after }: FileEntry,
): Promise<string | undefined> {
  const original = await ledger.kept(before.content)
  const stat = await machine.stat(path)
  const current = stat?.type === 'file' ? await machine.readFile(path) : undefined
  const written = after === undefined || isFingerprint(after) ? undefined : await ledger.kept(after)
  if (
    current !== undefined &&
    written !== undefined &&
    !current.equals(written) &&
    !current.equals(original)
  ) {
    const text = without(current, original, written)
    if (text === undefined)
      return `it was changed since, in the same lines as by edgeadm; as it was before: ${ledger.directory}/previous/${before.content}`
    await machine.writeFile(path, text, before.mode)
    await machine.chown(path, before.uid, before.gid)
    return undefined
  }
  if (current?.equals(original) !== true) await machine.writeFile(path, original, before.mode)
  else if (stat?.mode !== before.mode) await machine.chmod(path, before.mode)
  await machine.setModified(path, before.modified)
  await machine.chown(path, before.uid, before.gid)
  return undefined
}

/** `current` without the change from `original` to `written`; undefined where the two cannot be told apart. */
function without(current: Buffer, original: Buffer, written: Buffer): string | undefined {
  const [now, before, after] = [current, original, written].map((bytes) => bytes.toString('utf8'))
  const patch = structuredPatch('', '', before ?? '', after ?? '', '', '', { context: 1 })
  const text = applyPatch(now ?? '', reversePatch(patch), { fuzzFactor: 1 })
  return text === false ? undefined : text
}
