/** What the commands with `-f` have in common. */

import { existsSync } from 'node:fs'
import { isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'
import { Flags } from '@oclif/core'
import type { Secrets } from '../../fleet/ssh/secrets.ts'

export const fleetFlags = {
  filename: Flags.string({
    char: 'f',
    description: 'The inventory: a file with kind: Cluster (`edgeadm apply --print-example`)',
    helpValue: 'FILE',
  }),
  limit: Flags.string({
    description: 'Only these hosts: NAME (with * and ?), role=ROLE, site=SITE; may be given several times',
    helpValue: 'WHICH',
    multiple: true,
    delimiter: ',',
  }),
  'accept-new-host-keys': Flags.boolean({
    description:
      'Believe hosts that are seen for the first time, and write their keys down. A changed key is still refused',
  }),
  'ask-password': Flags.boolean({ description: 'Ask once for the password that logs in' }),
  'ask-sudo-password': Flags.boolean({ description: 'Ask once for the password that sudo wants' }),
}

/** Asks on the terminal for what the flags say. */
export async function askSecrets(flags: {
  readonly 'ask-password': boolean
  readonly 'ask-sudo-password': boolean
}): Promise<Secrets> {
  const { password } = await import('@inquirer/prompts')
  return {
    ...(flags['ask-password'] ? { password: await password({ message: 'Password for the login' }) } : {}),
    ...(flags['ask-sudo-password'] ? { sudoPassword: await password({ message: 'Password for sudo' }) } : {}),
  }
}

/** This program as one file; run from its sources, the one that was built last. */
export function ownExecutable(): string | undefined {
  if (isSea()) return process.execPath
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const built = fileURLToPath(new URL(`../../../build/edgeadm-linux-${architecture}`, import.meta.url))
  return existsSync(built) ? built : undefined
}
