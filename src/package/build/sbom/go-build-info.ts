/**
 * Which modules a Go program was built from: what the linker wrote into it, as `go version -m` prints. Read here, since a
 * package can be built of published programs where no Go is. Source: Go's debug/buildinfo and runtime/debug.BuildInfo.
 */

import { type FileHandle, open } from 'node:fs/promises'

export interface GoModule {
  readonly path: string
  /** `v1.2.3`; `(devel)` for a module that was built in place. */
  readonly version: string
}

export interface GoBuildInfo {
  /** `go1.26.8` */
  readonly goVersion: string
  /** What was linked in, replacements in place of what they replace; by path. */
  readonly modules: readonly GoModule[]
}

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
/** Magic (14 bytes), pointer size, flags, and room to 32: then two strings with their lengths before them. */
const HEADER = 32
const FLAGS_AT = 15
/** The strings follow the header. Go has written them so since 1.18. */
const INLINE = 2
/** Around the modules' text. */
const SENTINEL = 16

/** Undefined: not an ELF program, or not one of Go 1.18 or later. */
export async function readGoBuildInfo(path: string): Promise<GoBuildInfo | undefined> {
  const file = await open(path)
  try {
    const section = await buildInfoSection(file)
    if (section === undefined || !section.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
    if (((section[FLAGS_AT] ?? 0) & INLINE) === 0) return undefined
    const version = lengthPrefixed(section, HEADER)
    const modules = lengthPrefixed(section, version.end)
    const goVersion = version.bytes.toString('utf8').split(' ')[0] ?? ''
    return { goVersion, modules: parseModules(modules.bytes.subarray(SENTINEL, -SENTINEL).toString('utf8')) }
  } finally {
    await file.close()
  }
}

/** The contents of `.go.buildinfo` of a 64-bit little-endian ELF file (elf(5)). */
async function buildInfoSection(file: FileHandle): Promise<Buffer | undefined> {
  const header = await bytesAt(file, 0, 64)
  if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1)
    return undefined
  const [entrySize, count, names] = [0x3a, 0x3c, 0x3e].map((at) => header.readUInt16LE(at)) as [
    number,
    number,
    number,
  ]
  if (count === 0 || entrySize < 64) return undefined
  const table = await bytesAt(file, Number(header.readBigUInt64LE(0x28)), entrySize * count)
  if (table.length < entrySize * count || names >= count) return undefined
  const place = (index: number) => ({
    offset: Number(table.readBigUInt64LE(index * entrySize + 24)),
    size: Number(table.readBigUInt64LE(index * entrySize + 32)),
  })
  const texts = await bytesAt(file, place(names).offset, place(names).size)
  for (let index = 0; index < count; index++) {
    const at = table.readUInt32LE(index * entrySize)
    if (texts.toString('latin1', at, texts.indexOf(0, at)) !== '.go.buildinfo') continue
    return bytesAt(file, place(index).offset, place(index).size)
  }
  return undefined
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** A string behind its length, which is a varint. */
function lengthPrefixed(bytes: Buffer, at: number): { bytes: Buffer; end: number } {
  let length = 0
  let start = at
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[start++] ?? 0
    length += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  return { bytes: bytes.subarray(start, start + length), end: start + length }
}

/** Lines `mod` (the program's own), `dep` and, for what stands in place of the one before, `=>`: path, version and sum between tabs. */
function parseModules(text: string): GoModule[] {
  const modules: GoModule[] = []
  for (const line of text.split('\n')) {
    const [kind, path = '', version = ''] = line.split('\t')
    if (kind === 'mod' || kind === 'dep') modules.push({ path, version })
    // A folder has no name of its own: what it is a copy of stays.
    if (kind === '=>' && !/^[./]/.test(path)) modules.splice(-1, 1, { path, version })
  }
  // A program built in its own work tree has no version; it is the component itself.
  return modules.filter(({ version }) => version !== '(devel)').sort((a, b) => (a.path < b.path ? -1 : 1))
}
