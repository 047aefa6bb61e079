import { cp, lstat } from 'node:fs/promises'

/** Copies a file or a folder with its times. Sockets and pipes stay out: the program that made them makes them again. */
export async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    preserveTimestamps: true,
    filter: async (path) => {
      const found = await lstat(path)
      return found.isFile() || found.isDirectory() || found.isSymbolicLink()
    },
  })
}
