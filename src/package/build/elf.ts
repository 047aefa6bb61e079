import { open } from 'node:fs/promises'
import { posix } from 'node:path'
import { EdgeadmError } from '../../output/errors.ts'
import { tool } from './command.ts'
import { mergedPath, type TreeFile } from './layer-tree.ts'

/**
 * The shared libraries and interpreters that programs need, found in the same tree: works for any architecture, since
 * nothing is run.
 * @param programs merged paths
 * @returns merged paths, links to the libraries included
 * @throws EdgeadmError class `package` if a library is not in the tree
 */
export async function libraryClosure(
  tree: ReadonlyMap<string, TreeFile>,
  programs: readonly string[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const libraries = libraryIndex(tree)
  const found = new Set<string>()
  const queue = [...programs]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const file = tree.get(path)
    if (file === undefined) continue
    if (file.target !== undefined) {
      const target = mergedPath(posix.resolve(posix.dirname(path), file.target))
      if (tree.has(target) && !found.has(target)) {
        found.add(target)
        queue.push(target)
      }
      continue
    }
    for (const name of await needed(file.at, signal)) {
      const library = name.startsWith('/') ? mergedPath(name) : libraries.get(name)
      if (library === undefined || !tree.has(library))
        throw new EdgeadmError(
          'package',
          `${path} needs the library ${name}, which no package of the layer has`,
        )
      if (found.has(library)) continue
      found.add(library)
      queue.push(library)
    }
  }
  return found
}

/** Names of libraries -> where they are, in the loader's own folders. */
function libraryIndex(tree: ReadonlyMap<string, TreeFile>): Map<string, string> {
  const index = new Map<string, string>()
  for (const path of tree.keys())
    if (/^\/usr\/lib(64)?\/([a-z0-9_]+-linux-gnu[a-z]*\/)?[^/]+\.so[^/]*$/.test(path))
      index.set(posix.basename(path), path)
  return index
}

/** The interpreter and the libraries that an ELF file names; nothing for other files. */
async function needed(at: string, signal: AbortSignal): Promise<string[]> {
  if (!(await isElf(at))) return []
  const text = await tool('reading the dependencies of a program', 'readelf', ['-l', '-d', '-W', at], {
    signal,
  })
  const interpreter = /\[Requesting program interpreter: (\S+)\]/.exec(text)?.[1]
  const libraries = [...text.matchAll(/\(NEEDED\)\s+Shared library: \[([^\]]+)\]/g)].map((match) =>
    String(match[1]),
  )
  return interpreter === undefined ? libraries : [interpreter, ...libraries]
}

async function isElf(at: string): Promise<boolean> {
  const file = await open(at)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return bytesRead === 4 && buffer.toString('latin1') === '\x7fELF'
  } finally {
    await file.close()
  }
}
