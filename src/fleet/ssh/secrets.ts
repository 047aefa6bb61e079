/** Passwords that the inventory names the place of. They are asked for once, and are in no message. */

import { readFile } from 'node:fs/promises'
import { EdgeadmError } from '../../output/errors.ts'
import type { SshEntry } from '../schema.ts'

/** What flags and a terminal gave: for hosts whose entry names no other place. */
export interface Secrets {
  readonly password?: string
  readonly sudoPassword?: string
}

/** @throws EdgeadmError class `usage` if the variable is not set or the file cannot be read */
export async function readSecret(
  source: SshEntry['password'],
  label: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | undefined> {
  if (source === undefined) return undefined
  if (source.env !== undefined) {
    const value = environment[source.env]
    if (value === undefined)
      throw new EdgeadmError('usage', `${label}: the environment variable ${source.env} is not set`)
    return value
  }
  if (source.file === undefined) return undefined
  try {
    return (await readFile(source.file, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new EdgeadmError('usage', `${label}: ${source.file} cannot be read: ${code}`, { cause })
  }
}
