import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { tool } from '../command.ts'
import type { CcSource } from '../recipe.ts'
import type { ComponentRecord, MakeContext } from '../record.ts'
import { compilerFor } from '../requirements.ts'
import { programPath, recordPrograms } from './programs.ts'

/** Compiles one C file that is part of a Go module (the pause program is such a file), statically. */
export async function makeFromCc(source: CcSource, context: MakeContext): Promise<ComponentRecord> {
  const { component, arch, programs, folder, signal } = context
  const version = source.version ?? component.version
  const module = `${source.module}@${version}`
  const title = `compiling ${component.name} ${component.version}`
  const downloaded = JSON.parse(
    await tool(`downloading ${module}`, 'go', ['mod', 'download', '-json', module], {
      signal,
      cwd: folder,
      env: { GOWORK: 'off' },
    }),
  ) as { Dir: string }
  await mkdir(join(folder, 'files'), { recursive: true })
  const [name] = programs
  if (name === undefined) return recordPrograms(context, module)
  await tool(
    title,
    compilerFor(arch),
    [
      ...(source.flags ?? []),
      '-static',
      '-s',
      '-Wl,--build-id=none',
      '-o',
      programPath(folder, name),
      // Relative, so that no path of this machine gets in.
      source.file,
    ],
    { signal, cwd: downloaded.Dir },
  )
  return recordPrograms(context, `cc:${module}/${source.file} (linux/${arch})`)
}
