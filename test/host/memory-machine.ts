import type { CommandOptions, FileStat, Output } from '../../src/host/host.ts'
import type { Machine } from '../../src/host/machine.ts'
import { OverlayMachine } from '../../src/host/overlay.ts'

const MISSING: Output = { stdout: '', stderr: 'command not found', exitCode: 127 }
const DONE: Output = { stdout: '', stderr: '', exitCode: 0 }

/** Nothing but a root directory. */
class EmptyMachine implements Machine {
  async execute(): Promise<Output> {
    return MISSING
  }
  perform = this.execute
  async readFile(): Promise<undefined> {}
  async list(): Promise<string[]> {
    return []
  }
  async stat(path: string): Promise<FileStat | undefined> {
    return path === '/' ? { type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0 } : undefined
  }
  async readLink(): Promise<string> {
    throw new Error('there are no links')
  }
  async modified(): Promise<number> {
    return 0
  }
  #refuse = async (): Promise<never> => {
    throw new Error('the overlay keeps every change')
  }
  writeFile = this.#refuse
  copyFile = this.#refuse
  makeDirectory = this.#refuse
  symlink = this.#refuse
  remove = this.#refuse
  removeDirectory = this.#refuse
  chmod = this.#refuse
  chown = this.#refuse
  setModified = this.#refuse
}

type Answer = Partial<Output> | undefined

/** A machine in memory: files as in a dry run; commands are answered by `answer`, or succeed and say nothing. */
export class MemoryMachine extends OverlayMachine {
  /** Every command that changes something, as one line each. */
  readonly performed: string[] = []
  readonly #answer: (line: string) => Answer

  constructor(answer: (line: string) => Answer = () => undefined) {
    super(new EmptyMachine())
    this.#answer = answer
  }

  /** Puts a file there, with its directories. */
  async put(path: string, content: string, mode = 0o644): Promise<void> {
    const parts = path.split('/').slice(1, -1)
    for (const [index] of parts.entries()) {
      const directory = `/${parts.slice(0, index + 1).join('/')}`
      if ((await this.stat(directory)) === undefined) await this.makeDirectory(directory, 0o755)
    }
    await this.writeFile(path, content, mode)
  }

  /** Paths of all files and links at or below `path`, with the files' contents. */
  async tree(path = '/'): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const name of await this.list(path)) {
      const child = path === '/' ? `/${name}` : `${path}/${name}`
      const type = (await this.stat(child))?.type
      if (type === 'directory') Object.assign(found, { [`${child}/`]: '' }, await this.tree(child))
      else if (type === 'symlink') found[child] = `-> ${await this.readLink(child)}`
      else found[child] = (await this.readFile(child))?.toString() ?? ''
    }
    return found
  }

  override async execute(
    file: string,
    args: readonly string[],
    _options: CommandOptions = {},
  ): Promise<Output> {
    return { ...DONE, ...this.#answer([file, ...args].join(' ')) }
  }

  override async perform(
    file: string,
    args: readonly string[],
    _options: CommandOptions = {},
  ): Promise<Output> {
    const line = [file, ...args].join(' ')
    this.performed.push(line)
    const answer = this.#answer(line)
    if (answer?.exitCode) return { ...DONE, ...answer }
    if (file === 'rm') await this.#removeTree(args.at(-1) ?? '')
    const set = file === 'sysctl' ? /^([^=]+)=(.*)$/.exec(args.at(-1) ?? '') : null
    if (set !== null) await this.put(`/proc/sys/${set[1]?.replaceAll('.', '/')}`, `${set[2]}\n`)
    return { ...DONE, ...answer }
  }

  override async removeDirectory(path: string): Promise<void> {
    if ((await this.list(path)).length > 0) throw new Error(`ENOTEMPTY: ${path}`)
    await super.removeDirectory(path)
  }

  async #removeTree(path: string): Promise<void> {
    if ((await this.stat(path))?.type === 'directory')
      for (const name of await this.list(path)) await this.#removeTree(`${path}/${name}`)
    await this.remove(path)
  }
}
