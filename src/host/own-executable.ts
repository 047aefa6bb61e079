import { isSea } from 'node:sea'

/** How this very program is started again: the one executable, or Node.js with the entry in development. */
export function ownExecutable(): readonly [file: string, ...args: string[]] {
  return isSea() ? [process.execPath] : [process.execPath, process.argv[1] ?? '']
}
