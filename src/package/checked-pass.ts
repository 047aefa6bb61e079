import { createHash, type Hash } from 'node:crypto'
import { EdgeadmError } from '../output/errors.ts'
import type { EntrySink, EntryVisitor, PackageEntry } from './entries.ts'
import type { TrustedKey } from './keyring.ts'
import {
  MANIFEST_NAME,
  type PackageFile,
  type PackageManifest,
  parseManifest,
  SIGNATURE_NAME,
  serializeManifest,
} from './manifest.ts'
import { checkSignature } from './signature.ts'

/** Larger manifests are refused before they are read: nothing real comes near. Bytes. */
const LARGEST_MANIFEST = 16 * 1024 * 1024
const LARGEST_SIGNATURE = 4096

/** Takes the bytes of a file while they are being verified; they are good only once `close` was called. */
export interface FileOutput {
  write(chunk: Buffer): void
  close(): void
}

export interface PassOptions {
  /** The package's path, for errors. */
  readonly where: string
  /** Given: one of them has to have signed the manifest. */
  readonly keys?: readonly TrustedKey[]
  /** What was read of this package before; another manifest is refused. */
  readonly expected?: PackageManifest
  /** Given: files of the manifest may be missing; called with these at the end. */
  readonly onMissing?: (files: readonly PackageFile[]) => void
  /** Stop after the manifest (and its signature, if a key is given). */
  readonly manifestOnly?: boolean
  /** Where a file's bytes go; undefined: they are only verified. */
  readonly output: (file: Pick<PackageFile, 'path' | 'mode'>) => FileOutput | undefined
}

/** One pass over a package: each entry must be listed, once, with the size, mode and sha256 that the manifest names. */
export class CheckedPass implements EntryVisitor {
  manifest: PackageManifest | undefined
  readonly #options: PassOptions
  readonly #missing = new Map<string, PackageFile>()
  #manifestBytes = Buffer.alloc(0)
  #signed = false
  #entries = 0

  constructor(options: PassOptions) {
    this.#options = options
  }

  finished(): boolean {
    if (this.#options.manifestOnly !== true || this.manifest === undefined) return false
    return this.#options.keys === undefined || this.#signed
  }

  entry(entry: PackageEntry): EntrySink {
    const { where, keys } = this.#options
    const index = this.#entries++
    if (index === 0) return this.#manifestSink(entry)
    if (index === 1 && entry.path === SIGNATURE_NAME) return this.#signatureSink(entry)
    if (keys !== undefined && !this.#signed) throw unsigned(where)
    return this.#fileSink(entry)
  }

  /** Call when the package has ended. @returns the manifest of a package that is whole */
  complete(): PackageManifest {
    const { where, keys, manifestOnly } = this.#options
    if (this.manifest === undefined)
      throw new EdgeadmError('package', `${where} is not an edgeadm package: it is empty`)
    if (keys !== undefined && !this.#signed) throw unsigned(where)
    if (manifestOnly === true) return this.manifest
    const { onMissing } = this.#options
    if (onMissing !== undefined) {
      onMissing([...this.#missing.values()])
      return this.manifest
    }
    const [first] = this.#missing.keys()
    if (first !== undefined)
      throw new EdgeadmError(
        'package',
        `${where} is incomplete: ${this.#missing.size} of ${this.manifest.files.length} files are missing, the first is ${first}`,
        {
          fix: 'get the package again and compare its sha256; an update is made whole with `edgeadm package merge BASE UPDATE`',
        },
      )
    return this.manifest
  }

  #manifestSink(entry: PackageEntry): EntrySink {
    const { where } = this.#options
    if (entry.path !== MANIFEST_NAME)
      throw new EdgeadmError(
        'package',
        `${where} is not an edgeadm package: it begins with ${JSON.stringify(entry.path)} instead of ${MANIFEST_NAME}`,
        {
          fix: `build one with \`edgeadm package build\`; packed by hand, ${MANIFEST_NAME} has to be the first file`,
        },
      )
    return this.#collect(entry, LARGEST_MANIFEST, (bytes) => {
      this.manifest = parseManifest(bytes, where)
      checkUnchanged(this.manifest, this.#options)
      this.#manifestBytes = bytes
      for (const file of this.manifest.files) this.#missing.set(file.path, file)
    })
  }

  #signatureSink(entry: PackageEntry): EntrySink {
    const { where, keys } = this.#options
    return this.#collect(entry, LARGEST_SIGNATURE, (bytes) => {
      if (keys === undefined) return
      checkSignature(this.#manifestBytes, bytes, keys, where)
      this.#signed = true
    })
  }

  #collect(entry: PackageEntry, largest: number, then: (bytes: Buffer<ArrayBuffer>) => void): EntrySink {
    if (entry.size > largest)
      throw new EdgeadmError(
        'package',
        `${this.#options.where} is not an edgeadm package: ${entry.path} has ${entry.size} bytes`,
      )
    const chunks: Buffer[] = []
    return {
      // A reader may reuse its buffer for the next chunk, so what outlives this call is copied.
      data: (chunk) => chunks.push(Buffer.from(chunk)),
      end: () => {
        const bytes = Buffer.concat(chunks)
        then(bytes)
        const output = this.#options.output({ path: entry.path, mode: 0o644 })
        output?.write(bytes)
        output?.close()
      },
    }
  }

  #fileSink(entry: PackageEntry): EntrySink {
    const { where, output } = this.#options
    const file = this.#missing.get(entry.path)
    if (file === undefined) {
      const listed = this.manifest?.files.some(({ path }) => path === entry.path)
      throw new EdgeadmError(
        'package',
        listed
          ? `${where} holds ${entry.path} twice`
          : `${where} holds ${JSON.stringify(entry.path)}, which its manifest does not list`,
      )
    }
    this.#missing.delete(entry.path)
    if (entry.size !== file.size)
      throw damaged(where, file, `it has ${entry.size} bytes instead of ${file.size}`)
    if (entry.mode !== file.mode)
      throw damaged(where, file, `its mode is ${octal(entry.mode)} instead of ${octal(file.mode)}`)
    const hash: Hash = createHash('sha256')
    const to = output(file)
    let size = 0
    return {
      data: (chunk) => {
        size += chunk.length
        if (size > file.size) throw damaged(where, file, `it has more than ${file.size} bytes`)
        hash.update(chunk)
        to?.write(chunk)
      },
      end: () => {
        if (size !== file.size) throw damaged(where, file, `it has ${size} bytes instead of ${file.size}`)
        const sha256 = hash.digest('hex')
        if (sha256 !== file.sha256)
          throw damaged(where, file, `its sha256 is ${sha256} instead of ${file.sha256}`)
        to?.close()
      },
    }
  }
}

/** Whoever may write the file may put another package there after it was checked, even one that was signed earlier. */
function checkUnchanged(manifest: PackageManifest, { expected, where }: PassOptions): void {
  if (expected === undefined || serializeManifest(manifest).equals(serializeManifest(expected))) return
  throw new EdgeadmError('package', `${where} is another package than a moment ago, when it was checked`, {
    fix: 'see who changes this file; copy it to a place that only root can write, and run the same command again',
  })
}

function damaged(where: string, file: PackageFile, why: string): EdgeadmError {
  return new EdgeadmError('package', `${file.path} in ${where} is damaged: ${why}`, {
    fix: 'get the package again and compare its sha256',
  })
}

function unsigned(where: string): EdgeadmError {
  return new EdgeadmError('package', `${where} is not signed, but a public key was given`, {
    fix: 'get the signed package, or leave the key away',
  })
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`
}
