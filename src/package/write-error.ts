import { EdgeadmError, messageOf } from '../output/errors.ts'

/**
 * What a file system refused, said as such; every other error as it is.
 * @param what what could not be done: "the package cannot be unpacked in /x"
 * @param place the file or folder
 */
export function asWriteError(error: unknown, what: string, place: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (error instanceof EdgeadmError || syscall === undefined) return error
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new EdgeadmError('preflight', `${what}: the file system of ${place} is full`, {
      fix: 'make room or choose another place; what was begun is removed',
      cause: error,
    })
  return new EdgeadmError('preflight', `${what}: ${messageOf(error)}`, { cause: error })
}
