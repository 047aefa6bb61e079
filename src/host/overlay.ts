import { basename, dirname } from 'node:path'
import type { CommandOptions, FileStat, Output } from './host.ts'
import type { Machine } from './machine.ts'

type Node =
  | { readonly type: 'absent' }
  | { readonly type: 'directory'; readonly mode: number }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'file'; readonly mode: number; readonly content: Buffer }
  | { readonly type: 'copy'; readonly mode: number; readonly from: string }

const ABSENT: Node = { type: 'absent' }

/** A machine whose changes stay in memory, over a real one that is only read. */
export class OverlayMachine implements Machine {
  readonly #below: Machine
  readonly #nodes = new Map<string, Node>()

  constructor(below: Machine) {
    this.#below = below
  }

  async execute(file: string, args: readonly string[], options?: CommandOptions): Promise<Output> {
    return this.#below.execute(file, args, options)
  }

  async perform(_file: string, _args: readonly string[], _options?: CommandOptions): Promise<Output> {
    return { stdout: '', stderr: '', exitCode: 0 }
  }

  async readFile(path: string): Promise<Buffer | undefined> {
    const node = this.#nodes.get(path)
    if (node === undefined) return this.#below.readFile(path)
    if (node.type === 'file') return node.content
    if (node.type === 'copy') return this.#below.readFile(node.from)
    return node.type === 'symlink' ? this.readFile(node.target) : undefined
  }

  async list(path: string): Promise<string[]> {
    const names = new Set(await this.#below.list(path))
    for (const [other, node] of this.#nodes) {
      if (dirname(other) !== path) continue
      if (node.type === 'absent') names.delete(basename(other))
      else names.add(basename(other))
    }
    return [...names].sort()
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const node = this.#nodes.get(path)
    if (node === undefined) return this.#below.stat(path)
    const owner = { uid: 0, gid: 0 }
    switch (node.type) {
      case 'absent':
        return undefined
      case 'directory':
        return { type: 'directory', mode: node.mode, size: 0, ...owner }
      case 'symlink':
        return { type: 'symlink', mode: 0o777, size: node.target.length, ...owner }
      case 'file':
        return { type: 'file', mode: node.mode, size: node.content.length, ...owner }
      case 'copy':
        return {
          type: 'file',
          mode: node.mode,
          size: (await this.#below.stat(node.from))?.size ?? 0,
          ...owner,
        }
    }
  }

  async readLink(path: string): Promise<string> {
    const node = this.#nodes.get(path)
    return node?.type === 'symlink' ? node.target : this.#below.readLink(path)
  }

  async writeFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
    this.#nodes.set(path, { type: 'file', content: Buffer.from(content as string), mode })
  }

  async copyFile(from: string, path: string, mode: number): Promise<void> {
    this.#nodes.set(path, { type: 'copy', from, mode })
  }

  async makeDirectory(path: string, mode: number): Promise<void> {
    this.#nodes.set(path, { type: 'directory', mode })
  }

  async symlink(path: string, target: string): Promise<void> {
    this.#nodes.set(path, { type: 'symlink', target })
  }

  async remove(path: string): Promise<void> {
    this.#nodes.set(path, ABSENT)
  }

  async removeDirectory(path: string): Promise<void> {
    this.#nodes.set(path, ABSENT)
  }

  async chmod(path: string, mode: number): Promise<void> {
    const node = this.#nodes.get(path)
    if (node !== undefined && node.type !== 'absent' && node.type !== 'symlink')
      this.#nodes.set(path, { ...node, mode })
  }

  async chown(): Promise<void> {}

  async setModified(): Promise<void> {}

  async modified(path: string): Promise<number> {
    return this.#nodes.has(path) ? 0 : this.#below.modified(path)
  }
}
