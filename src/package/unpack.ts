import { closeSync, fchmodSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { readArchive } from './archive-reader.ts'
import { CheckedPass, type FileOutput, type PassOptions } from './checked-pass.ts'
import { readFolder } from './folder-reader.ts'
import { readKeyring } from './keyring.ts'
import type { PackageFile, PackageManifest } from './manifest.ts'
import { asWriteError } from './write-error.ts'

export interface VerifyOptions extends Reporting {
  /** Path of an ed25519 public key (PEM), or of a folder of such (`*.pub`). Given one, an unsigned package is refused. */
  readonly publicKey?: string
}

export interface UnpackOptions extends VerifyOptions {
  /** What `readPackageManifest` gave for this package: it is refused if it has become another one. */
  readonly expected?: PackageManifest
  /** Given: files of the manifest may be missing, and these are they. For an update, which holds only what is new. */
  readonly onMissing?: (files: readonly PackageFile[]) => void
  /** Which files to write; all are verified. Default: all. */
  readonly select?: (file: PackageFile) => boolean
}

/**
 * Reads only the manifest, which is the first entry: quick whatever the package's size.
 * @param path a .tar.zst, .tar.gz, .tar, or an unpacked package
 * @throws EdgeadmError class `package`: missing, not a package, truncated, format not known, not signed with the key
 */
export async function readPackageManifest(path: string, options: VerifyOptions): Promise<PackageManifest> {
  const quiet = { ...options, emit: () => {} }
  const manifestOnly = { ...keyOf(options), where: path, manifestOnly: true, output: () => undefined }
  return pass(path, manifestOnly, quiet, 'read the package')
}

/**
 * Verifies a whole package without writing anything.
 * @throws EdgeadmError class `package`
 */
export async function verifyPackage(path: string, options: VerifyOptions): Promise<PackageManifest> {
  return pass(
    path,
    { ...keyOf(options), where: path, output: () => undefined },
    options,
    'verify the package',
  )
}

/**
 * The text of one file of a package, all of which is verified.
 * @throws EdgeadmError class `package`: as `verifyPackage`, or there is no such file
 */
export async function readPackageFile(path: string, name: string, options: VerifyOptions): Promise<string> {
  const chunks: Buffer[] = []
  const output = (file: Pick<PackageFile, 'path'>): FileOutput | undefined =>
    file.path === name ? { write: (chunk) => chunks.push(Buffer.from(chunk)), close: () => {} } : undefined
  const manifest = await pass(path, { ...keyOf(options), where: path, output }, options, 'verify the package')
  if (!manifest.files.some((file) => file.path === name))
    throw new EdgeadmError('package', `${path} has no ${name}`, {
      fix: 'build the package anew with this edgeadm',
    })
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * One pass: decompresses, verifies each file's size, mode and sha256, and writes the selected ones and the manifest.
 * @param staging an empty folder made by the caller, on the file system of what will be installed. Emptied on failure.
 * @throws EdgeadmError class `package`
 */
export async function unpackPackage(
  path: string,
  staging: string,
  options: UnpackOptions,
): Promise<PackageManifest> {
  if ((await readdir(staging)).length > 0)
    throw new EdgeadmError(
      'internal',
      `${staging} is not empty: a package is unpacked into a fresh folder only`,
    )
  const open = new Set<number>()
  const made = new Set<string>()
  const output = (file: Pick<PackageFile, 'path' | 'mode'>): FileOutput | undefined => {
    if ('sha256' in file && options.select?.(file as PackageFile) === false) return undefined
    return fileOutput(join(staging, file.path), file.mode, { open, made })
  }
  try {
    const { expected, onMissing } = options
    const checks = {
      ...keyOf(options),
      ...(expected === undefined ? {} : { expected }),
      ...(onMissing === undefined ? {} : { onMissing }),
    }
    return await pass(path, { ...checks, where: path, output }, options, 'unpack the package')
  } catch (error) {
    for (const descriptor of open) closeSync(descriptor)
    for (const name of await readdir(staging)) await rm(join(staging, name), { recursive: true, force: true })
    throw asWriteError(error, `the package cannot be unpacked in ${staging}`, staging)
  }
}

async function pass(
  path: string,
  passOptions: PassOptions,
  reporting: Reporting,
  task: string,
): Promise<PackageManifest> {
  reporting.signal.throwIfAborted()
  const checked = new CheckedPass(passOptions)
  const read = (await kindOf(path)) === 'folder' ? readFolder : readArchive
  await read(path, checked, reporting, task)
  return checked.complete()
}

async function kindOf(path: string): Promise<'folder' | 'archive'> {
  let info: Awaited<ReturnType<typeof stat>>
  try {
    info = await stat(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new EdgeadmError('package', `there is no package at ${path}`, {
        fix: 'build one with `edgeadm package build`, or name another with --install-pkg-path',
      })
    throw new EdgeadmError('package', `the package ${path} cannot be read (${code})`, { cause: error })
  }
  if (info.isDirectory()) return 'folder'
  if (!info.isFile()) throw new EdgeadmError('package', `${path} is not an edgeadm package: it is not a file`)
  if (info.size === 0) throw new EdgeadmError('package', `${path} is not an edgeadm package: it is empty`)
  return 'archive'
}

function fileOutput(
  path: string,
  mode: number,
  { open, made }: { open: Set<number>; made: Set<string> },
): FileOutput {
  const folder = dirname(path)
  if (!made.has(folder)) {
    mkdirSync(folder, { recursive: true })
    made.add(folder)
  }
  const descriptor = openSync(path, 'wx', mode)
  open.add(descriptor)
  return {
    write: (chunk) => {
      for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at)
    },
    close: () => {
      // The umask must not decide what a binary's mode is.
      fchmodSync(descriptor, mode)
      closeSync(descriptor)
      open.delete(descriptor)
    },
  }
}

function keyOf(options: VerifyOptions): Pick<PassOptions, 'keys'> {
  return options.publicKey === undefined ? {} : { keys: readKeyring(options.publicKey) }
}
