import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EdgeadmError } from '../../../output/errors.ts'
import { type Addition, insertProgram } from '../additions.ts'
import { tool } from '../command.ts'

interface Module {
  readonly version: string
  /** Its folder in Go's cache, where nothing may be changed. */
  readonly folder: string
}

export interface ModuleCopy {
  readonly version: string
  /** Relative to where the build runs. */
  readonly folder: string
}

/**
 * Copies modules and puts additions into the copies.
 * @param own path of the recipe's module, which an addition is for unless it names another
 * @param find downloads a module of the build
 * @param work folder for the copies; it has to be outside of any module
 * @returns path of a module -> its copy
 * @throws EdgeadmError class `package`: an addition does not fit this version of its module
 */
export async function addToModules(
  additions: readonly Addition[],
  own: string,
  find: (path: string) => Promise<Module>,
  work: string,
  signal: AbortSignal,
): Promise<Map<string, ModuleCopy>> {
  const copies = new Map<string, ModuleCopy>()
  for (const path of new Set(additions.map(({ module = own }) => module))) {
    // The folder's name gets into the program.
    const folder = path === own ? 'module' : path.replaceAll('/', '_')
    const those = additions.filter(({ module = own }) => module === path)
    const module = await find(path)
    await addToModule(`${path} ${module.version}`, module.folder, those, join(work, folder), signal)
    copies.set(path, { version: module.version, folder: `./${folder}` })
  }
  return copies
}

/**
 * Copies a module and puts additions into the copy.
 * @param name path and version, for messages
 * @param folder of the module
 * @param target folder for the copy, which is made; the folder above has to be outside of any module
 * @throws EdgeadmError class `package`: an addition does not fit this version of the module
 */
async function addToModule(
  name: string,
  folder: string,
  additions: readonly Addition[],
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const work = dirname(target)
  const program = join(work, 'insert.go')
  await writeFile(program, insertProgram())
  const request = {
    module: folder,
    target,
    additions: additions.map(({ name, files, statements }) => ({ name, files, statements })),
  }
  const answer = await tool(`adding to the source of ${name}`, 'go', ['run', program], {
    cwd: work,
    // It runs on this machine, whatever it is that is built.
    env: { GOWORK: 'off', GOOS: '', GOARCH: '', CGO_ENABLED: '0' },
    input: JSON.stringify(request),
    signal,
  })
  const { problems } = JSON.parse(answer) as { problems: string[] }
  const [first, ...others] = problems
  if (first === undefined) return
  throw new EdgeadmError('package', `${name}: ${first}`, {
    details: others,
    fix: 'build the version that the addition was written for, or adapt the addition to this one (packages-manifests/README.md)',
  })
}
