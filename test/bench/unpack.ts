import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPackageManifest } from '../../src/package/index.ts'
import { EXECUTABLE, PACKAGE } from '../lab/artifacts.ts'
import { reporting } from './machines.ts'

export interface UnpackFigures {
  readonly edgeadm: number
  readonly byHand: number
  /** Peak resident memory of `edgeadm package verify`, MiB. */
  readonly memory: number
}

/** Unpacking with verification, against `tar -x` and `sha256sum -c`; seconds. */
export async function benchUnpack(): Promise<UnpackFigures> {
  const { files } = await readPackageManifest(PACKAGE, reporting)
  const directory = mkdtempSync(join(tmpdir(), 'edgeadm-bench-'))
  try {
    writeFileSync(join(directory, 'sums'), files.map(({ sha256, path }) => `${sha256}  ${path}\n`).join(''))
    const byHand = seconds(() => {
      execFileSync('tar', ['-C', directory, '--zstd', '-xf', PACKAGE])
      execFileSync('sha256sum', ['-c', '--quiet', 'sums'], { cwd: directory })
    })
    const code = `import { mkdirSync } from 'node:fs'
      const { unpackPackage } = await import(process.argv[1])
      mkdirSync(process.argv[3])
      await unpackPackage(process.argv[2], process.argv[3], { emit() {}, signal: new AbortController().signal })`
    const library = new URL('../../src/package/index.ts', import.meta.url).href
    const edgeadm = seconds(() => {
      execFileSync(process.execPath, [
        '--input-type=module',
        '-e',
        code,
        library,
        PACKAGE,
        join(directory, 'edgeadm'),
      ])
    })
    const time = execFileSync(
      'sh',
      [
        '-c',
        '/usr/bin/env time -f %M "$1" package verify "$2" 2>&1 >/dev/null | tail -1',
        'sh',
        EXECUTABLE,
        PACKAGE,
      ],
      { encoding: 'utf8' },
    )
    return { edgeadm, byHand, memory: Number(time.trim()) / 1024 }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function seconds(work: () => void): number {
  const start = performance.now()
  work()
  return (performance.now() - start) / 1000
}
