import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { create, extract, list } from 'tar'
import { syncDirectory } from '../../host/sync.ts'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import { BACKUP_SCHEMA, type BackupFile, type BackupIndex, INDEX } from './format.ts'
import { BACKUP_INDEX } from './index-schema.ts'

/** @param path below `directory` */
export async function describe(directory: string, path: string): Promise<BackupFile> {
  const file = join(directory, path)
  const { mode, size } = await fs.stat(file)
  return { path, mode: mode & 0o7777, size, sha256: await sha256Of(file) }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * Puts what the index lists, below `directory`, into one file: whole and on the disk, or not there. Mode 0600. It is written
 * in `directory`, which only root may enter: beside the target others might have put a link or a file of theirs in its way.
 * @param directory on the file system of the target
 * @param recipients of age (`age1…`); none: not encrypted
 */
export async function writeArchive(
  directory: string,
  index: BackupIndex,
  target: string,
  recipients: readonly string[],
): Promise<void> {
  await fs.writeFile(join(directory, INDEX), `${JSON.stringify(index, null, 1)}\n`, { mode: 0o600 })
  const names = [INDEX, ...index.files.map(({ path }) => path)]
  const plain = create({ cwd: directory, gzip: true, portable: true, noDirRecurse: true }, names)
  const temporary = join(directory, 'archive')
  try {
    const output = createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true })
    // minipass is a stream for Node's purposes.
    const source = Readable.from(plain as AsyncIterable<Uint8Array>)
    await pipeline(recipients.length === 0 ? source : await encrypted(source, recipients), output)
    await fs.rename(temporary, target)
    await syncDirectory(dirname(target))
  } catch (error) {
    await fs.rm(temporary, { force: true })
    throw error
  }
}

async function encrypted(source: Readable, recipients: readonly string[]): Promise<Readable> {
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  for (const one of recipients) encrypter.addRecipient(one)
  return fromWeb(await encrypter.encrypt(toWeb(source)))
}

const toWeb = (stream: Readable) => Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>
const fromWeb = (stream: unknown) => Readable.fromWeb(stream as WebStream)

/** @throws EdgeadmError class `usage` for a recipient that age does not know */
export async function checkRecipients(recipients: readonly string[]): Promise<void> {
  if (recipients.length === 0) return
  const { Encrypter } = await import('age-encryption')
  for (const one of recipients)
    try {
      new Encrypter().addRecipient(one)
    } catch (error) {
      throw new EdgeadmError('usage', `"${one}" is no recipient of age: ${messageOf(error)}`, {
        fix: 'a recipient begins with age1; `age-keygen` makes one and its identity',
      })
    }
}

export interface Opened {
  readonly index: BackupIndex
  /** Where its entries are. */
  readonly directory: string
}

/**
 * Unpacks a backup into a directory that only root may enter, and checks each file by its size and SHA-256.
 * @param identity the text of age's identity file, for one that is encrypted
 * @throws EdgeadmError class `preflight`: it is no backup, is cut short or damaged, or cannot be decrypted
 */
export async function openArchive(
  path: string,
  directory: string,
  identity: string | undefined,
): Promise<Opened> {
  try {
    const source = await plainSource(path, identity)
    await pipeline(source, extract({ cwd: directory, strict: true, preserveOwner: false, filter: isPlain }))
  } catch (error) {
    if (error instanceof EdgeadmError) throw error
    throw damaged(path, messageOf(error))
  }
  const index = parseIndex(path, await fs.readFile(join(directory, INDEX), 'utf8').catch(() => ''))
  for (const file of index.files) {
    const found = await describe(directory, file.path).catch(() => undefined)
    if (found === undefined) throw damaged(path, `${file.path} is not in it`)
    if (found.size !== file.size || found.sha256 !== file.sha256)
      throw damaged(path, `${file.path} is not as it was written`)
  }
  return { index, directory }
}

/** Links and devices are in no backup. */
const isPlain = (_: string, entry: unknown): boolean => {
  const { type } = entry as { type?: string }
  return type === undefined || type === 'File' || type === 'OldFile' || type === 'Directory'
}

/** The first entry alone. Undefined: it is encrypted. @throws EdgeadmError class `preflight` */
export async function readIndex(path: string): Promise<BackupIndex | undefined> {
  if (path.endsWith('.age')) return undefined
  let text = ''
  try {
    await list({
      file: path,
      strict: true,
      maxReadSize: 64 * 1024,
      onReadEntry: (entry) => {
        if (entry.path === INDEX) entry.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
        else entry.resume()
      },
    })
  } catch (error) {
    throw damaged(path, messageOf(error))
  }
  return parseIndex(path, text)
}

async function plainSource(path: string, identity: string | undefined): Promise<Readable> {
  const source = createReadStream(path)
  if (!(await startsWith(path, 'age-encryption.org/'))) return source
  if (identity === undefined)
    throw new EdgeadmError('usage', `${path} is encrypted`, {
      fix: 'name the file of the age identity with --age-identity',
    })
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  const lines = identity.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  try {
    for (const line of lines) decrypter.addIdentity(line.trim())
    return fromWeb(await decrypter.decrypt(toWeb(source)))
  } catch (error) {
    throw new EdgeadmError('preflight', `${path} cannot be decrypted with this identity: ${messageOf(error)}`)
  }
}

async function startsWith(path: string, text: string): Promise<boolean> {
  const handle = await fs.open(path).catch((error: NodeJS.ErrnoException) => {
    throw new EdgeadmError('usage', `${path} cannot be read: ${error.code}`)
  })
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(text.length), 0, text.length, 0)
    return buffer.subarray(0, bytesRead).toString('latin1') === text
  } finally {
    await handle.close()
  }
}

function parseIndex(path: string, text: string): BackupIndex {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(path, `it does not begin with ${INDEX}`)
  }
  const schema = (value as { schema?: unknown } | null)?.schema
  if (schema !== BACKUP_SCHEMA)
    throw new EdgeadmError(
      'preflight',
      `${path} is a backup of the format ${schema}, and this edgeadm reads ${BACKUP_SCHEMA}`,
      { fix: 'take an edgeadm that is as new as the one that made the backup' },
    )
  const parsed = BACKUP_INDEX.safeParse(value)
  if (parsed.success) return parsed.data as BackupIndex
  const [issue] = parsed.error.issues
  throw damaged(path, `${INDEX}: ${issue?.path.join('.')}: ${issue?.message}`)
}

const damaged = (path: string, why: string) =>
  new EdgeadmError('preflight', `${path} is no whole backup of edgeadm: ${why}`, {
    fix: 'take another one: `edgeadm backup list` shows them',
  })
