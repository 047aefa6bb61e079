/** Removes a lab so that nothing of it is left on the host. */

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { destroyCgroups, findCgroups } from './cgroups.ts'
import { restoreHost } from './host-state.ts'
import { removeNetwork } from './network.ts'
import { labDirectory } from './paths.ts'
import { powerOff } from './power.ts'
import { labNames } from './state.ts'

/**
 * Goes by what is found under the lab's name, not by its records: works for a lab that was never finished and after a
 * reboot of the host.
 * @throws {EdgeadmError} class `usage` for an unknown lab
 */
export async function deleteLab(name: string, reporting: Reporting): Promise<void> {
  const names = await labNames()
  if (!names.includes(name))
    throw new EdgeadmError('usage', `there is no lab called ${name}`, {
      ...(names.length > 0 && { fix: `there are: ${names.join(', ')}` }),
    })
  await Promise.all((await machineDirectories(name)).map((machine) => powerOff(name, machine)))
  await destroyCgroups(await findCgroups(name))
  await removeNetwork(name)
  await rm(labDirectory(name), { recursive: true, force: true, maxRetries: 5 })
  await restoreHost(reporting)
}

async function machineDirectories(lab: string): Promise<string[]> {
  try {
    return await readdir(join(labDirectory(lab), 'machines'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
