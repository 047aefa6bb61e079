import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EdgeadmError } from '../../../output/errors.ts'
import { type Addition, insertProgram } from '../additions.ts'
import { tool } from '../command.ts'

interface Module {
  /** Path and version, for messages. */
  readonly name: string
  /** Its folder in Go's cache, where nothing may be changed. */
  readonly folder: string
}

/**
 * Copies a module and puts additions into the copy.
 * @param work folder for the copy; it has to be outside of any module
 * @returns the copy's folder
 * @throws EdgeadmError class `package`: an addition does not fit this version of the module
 */
export async function addToModule(
  module: Module,
  additions: readonly Addition[],
  work: string,
  signal: AbortSignal,
): Promise<string> {
  const target = join(work, 'module')
  const program = join(work, 'insert.go')
  await writeFile(program, insertProgram())
  const request = {
    module: module.folder,
    target,
    additions: additions.map(({ name, files, statements }) => ({ name, files, statements })),
  }
  const answer = await tool(`adding to the source of ${module.name}`, 'go', ['run', program], {
    cwd: work,
    // It runs on this machine, whatever it is that is built.
    env: { GOWORK: 'off', GOOS: '', GOARCH: '', CGO_ENABLED: '0' },
    input: JSON.stringify(request),
    signal,
  })
  const { problems } = JSON.parse(answer) as { problems: string[] }
  const [first, ...others] = problems
  if (first === undefined) return target
  throw new EdgeadmError('package', `${module.name}: ${first}`, {
    details: others,
    fix: 'build the version that the addition was written for, or adapt the addition to this one (packages-manifests/README.md)',
  })
}
