import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { Header } from 'tar'
import { afterAll } from 'vitest'
import type { EventBody, Reporting } from '../../src/output/events.ts'
import { PACKAGE_SCHEMA, type PackageManifest, serializeManifest } from '../../src/package/manifest.ts'

/** Small packages, good and bad, made block by block so that nothing corrects what is meant to be wrong. */

export interface RawEntry {
  readonly path: string
  readonly content?: Buffer
  readonly mode?: number
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO'
  readonly linkpath?: string
  /** The size the header claims, if another than the content's. */
  readonly size?: number
}

export const FILES: Readonly<Record<string, Buffer>> = {
  'bin/kubeadm': Buffer.from('#!/bin/sh\necho v1.33.13\n'),
  'cni/bridge': Buffer.alloc(70_000, 'bridge'),
  'container/runc': Buffer.alloc(0),
  'images/oci-layout': Buffer.from('{"imageLayoutVersion":"1.0.0"}'),
}

export function manifestOf(
  files: Readonly<Record<string, Buffer>> = FILES,
  changes: Partial<PackageManifest> = {},
): PackageManifest {
  return {
    schema: PACKAGE_SCHEMA,
    kubernetesVersion: 'v1.33.13',
    edgeVersion: '0.1.0',
    arch: 'amd64',
    components: [{ name: 'test', version: 'v1', licence: 'Apache-2.0', source: 'test' }],
    images: [],
    files: Object.entries(files).map(([path, content]) => ({
      path,
      size: content.length,
      mode: modeOf(path),
      sha256: createHash('sha256').update(content).digest('hex'),
      component: 'test',
    })),
    ...changes,
  }
}

export function entriesOf(
  manifest = manifestOf(),
  files: Readonly<Record<string, Buffer>> = FILES,
): RawEntry[] {
  return [
    { path: 'manifest.json', content: serializeManifest(manifest), mode: 0o644 },
    ...Object.entries(files).map(([path, content]) => ({ path, content, mode: modeOf(path) })),
  ]
}

export function tarOf(entries: readonly RawEntry[]): Buffer {
  const blocks = entries.flatMap(
    ({ path, content = Buffer.alloc(0), mode = 0o755, type = 'File', linkpath, size }) => {
      const block = Buffer.alloc(512)
      const data = {
        path,
        mode,
        type,
        size: size ?? content.length,
        mtime: new Date(0),
        ...(linkpath && { linkpath }),
      }
      new Header(data).encode(block)
      return [block, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
    },
  )
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

export function compressed(tar: Buffer, ending: string): Buffer {
  if (ending === '.tar.gz') return gzipSync(tar)
  if (ending === '.tar.zst') return zstdCompressSync(tar, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  return tar
}

const folders: string[] = []

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder that goes with the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgeadm-package-test-'))
  folders.push(folder)
  return folder
}

/** Writes a package and returns its path. */
export function packageFile(entries: readonly RawEntry[] = entriesOf(), ending = '.tar.zst'): string {
  const path = join(temporaryFolder(), `package${ending}`)
  writeFileSync(path, compressed(tarOf(entries), ending))
  return path
}

/** Collects events. */
export function reporter(): Reporting & { readonly events: EventBody[]; readonly abort: AbortController } {
  const events: EventBody[] = []
  const abort = new AbortController()
  return { events, abort, emit: (event) => events.push(event), signal: abort.signal }
}

export function modeOf(path: string): number {
  return path.startsWith('images/') ? 0o644 : 0o755
}
