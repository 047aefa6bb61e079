/** Makes a lab: network, machines, boot. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { ensureBaseImage } from './base-image.ts'
import { deleteLab } from './delete.ts'
import { prepareHost } from './host-state.ts'
import { makeMachineFiles } from './machine-files.ts'
import { checkLabName, type MachineCounts, machineSpecs } from './names.ts'
import { makeNetwork } from './network.ts'
import { bootMachine } from './power.ts'
import type { ProcessIdentity } from './processes.ts'
import { ensureRequirements } from './requirements.ts'
import { type LabState, labNames, reserveLab, writeLab } from './state.ts'
import { step } from './step.ts'

export interface CreateLabOptions extends MachineCounts {
  readonly name: string
  /** The executable that the machines get as /usr/local/bin/edgeadm. */
  readonly executable?: string
  /** The package, a file or directory, that they get under /root. */
  readonly package?: string
  /** `silent`: resolv.conf names a resolver that never answers. Default: `none`. */
  readonly resolver?: 'none' | 'silent'
  /** The process that is going to delete the lab. */
  readonly owner?: ProcessIdentity
}

/**
 * Boots the lab's machines and resolves when all have booted. What was begun is removed again if it fails.
 * @throws {EdgeadmError} class `usage`, `preflight` (nothing was changed) or `phase`
 */
export async function createLab(options: CreateLabOptions, reporting: Reporting): Promise<LabState> {
  const machines = machineSpecs(options)
  const executable = existingPath('executable', options.executable)
  const packagePath = existingPath('package', options.package)
  await checkNewLab(options.name)
  await step(reporting, 'requirements', 'Check what the host needs', () => ensureRequirements(reporting))
  const baseImage = await step(reporting, 'base-image', 'Base image of the machines', () =>
    ensureBaseImage(reporting),
  )

  await reserveLab(options.name)
  try {
    const lab: LabState = {
      schema: 'edgeadm.io/lab/v1alpha1',
      name: options.name,
      created: new Date().toISOString(),
      machines,
      baseImage,
      ...(executable !== undefined && { executable }),
      ...(packagePath !== undefined && { package: packagePath }),
      ...(options.owner && { owner: options.owner }),
    }
    await writeLab(lab)
    await prepareHost(reporting)
    await makeNetwork(lab.name, reporting.signal)
    await step(reporting, 'machines', `Boot ${machines.length} machines`, () =>
      bootAll(lab, options.resolver ?? 'none', reporting),
    )
    return lab
  } catch (error) {
    await deleteLab(options.name, { ...reporting, signal: new AbortController().signal })
    throw error
  }
}

/** All at once; each reports as it has booted. */
async function bootAll(lab: LabState, resolver: 'none' | 'silent', reporting: Reporting): Promise<void> {
  const { machines, name } = lab
  let done = 0
  const report = () =>
    reporting.emit({
      type: 'progress',
      task: 'booting machines',
      done,
      total: machines.length,
      unit: 'items',
    })
  report()
  const outcomes = await Promise.allSettled(
    machines.map(async (machine) => {
      const { signal } = reporting
      await makeMachineFiles(machine, { lab: name, baseRoot: lab.baseImage.root, machines, resolver, signal })
      await bootMachine(lab, machine.name, reporting)
      done += 1
      report()
    }),
  )
  // All have to settle first: a machine that still boots could not be removed.
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}

/** To be asked before work for a lab begins. @throws {EdgeadmError} class `usage` or `preflight` */
export async function checkNewLab(name: string): Promise<void> {
  checkLabName(name)
  if ((await labNames()).includes(name))
    throw new EdgeadmError('preflight', `there is already a lab called ${name}`, {
      fix: `give another name, or remove it with: edgeadm lab delete ${name}`,
    })
}

function existingPath(what: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  if (existsSync(path)) return resolve(path)
  throw new EdgeadmError('usage', `the ${what} ${path} does not exist`)
}
