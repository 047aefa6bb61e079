import { lstat, readdir, readlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { TarItem } from '../tar-writer.ts'

/** The files of a layer by their path (absolute, /usr merged), and what becomes of them in its archive. */
export class LayerTree {
  readonly #items = new Map<string, TarItem>()

  add(path: string, item: Omit<TarItem, 'path'>): void {
    const merged = mergedPath(path)
    if (merged !== '/') this.#items.set(merged, { ...item, path: merged.slice(1) })
  }

  /** A text that names its interpreter is a program. */
  addText(path: string, text: string): void {
    const content = Buffer.from(text)
    const mode = text.startsWith('#!') ? 0o755 : 0o644
    this.add(path, { type: 'File', mode, size: content.length, content })
  }

  addLink(path: string, target: string): void {
    this.add(path, { type: 'SymbolicLink', mode: 0o777, size: 0, target })
  }

  addFolder(path: string, mode: number): void {
    this.add(path, { type: 'Directory', mode, size: 0 })
  }

  has(path: string): boolean {
    return this.#items.has(mergedPath(path))
  }

  /** In order, with all parent folders, and the links of a merged /usr if anything is there. */
  items(): TarItem[] {
    const items = new Map(this.#items)
    for (const path of this.#items.keys())
      for (let parent = posix.dirname(path); parent !== '/'; parent = posix.dirname(parent))
        if (!items.has(parent))
          items.set(parent, { path: parent.slice(1), type: 'Directory', mode: 0o755, size: 0 })
    for (const name of MERGED)
      if (items.has(`/usr/${name}`))
        items.set(`/${name}`, {
          path: name,
          type: 'SymbolicLink',
          mode: 0o777,
          size: 0,
          target: `usr/${name}`,
        })
    return [...items]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, item]) => (item.type === 'Directory' ? { ...item, path: `${item.path}/` } : item))
  }
}

const MERGED = ['bin', 'sbin', 'lib', 'lib64']

/** `/bin/x` is `/usr/bin/x`: what Debian's packages name in two ways is one path in an image. */
export function mergedPath(path: string): string {
  const normal = posix.normalize(path)
  return MERGED.some((name) => normal.startsWith(`/${name}/`)) ? `/usr${normal}` : normal
}

/** What is stored at each path of an extracted tree. */
export interface TreeFile {
  /** Absolute on this machine. */
  readonly at: string
  readonly mode: number
  readonly size: number
  /** Of a symbolic link. */
  readonly target?: string
}

/** All files and links under `root` by their merged path. */
export async function scanTree(root: string): Promise<Map<string, TreeFile>> {
  const found = new Map<string, TreeFile>()
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = posix.join(folder, entry.name)
      const at = join(root, path)
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile() || entry.isSymbolicLink()) {
        const { mode, size } = await lstat(at)
        const file = { at, mode: mode & 0o777, size: entry.isFile() ? size : 0 }
        // The links /bin, /lib… themselves are made by LayerTree.
        if (entry.isSymbolicLink() && folder === '/' && MERGED.includes(entry.name)) continue
        found.set(mergedPath(path), entry.isFile() ? file : { ...file, target: await readlink(at) })
      }
    }
  }
  await walk('/')
  return found
}
