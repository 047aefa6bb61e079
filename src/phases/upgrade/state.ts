/** How far an upgrade of this machine came: /var/lib/edgeadm/upgrade/state.json. There from the first change to the end. */

import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Look } from '../../host/host.ts'
import { syncDirectory } from '../../host/sync.ts'
import type { Phase } from '../workflow.ts'
import { UPGRADE_DIRECTORY, type UpgradeContext } from './context.ts'

const STATE = `${UPGRADE_DIRECTORY}/state.json`

export interface UpgradeState {
  /** Its own for each upgrade: what an earlier one finished counts for nothing. */
  readonly id: string
  readonly from: string
  readonly to: string
  /** From here on the programs of this machine are changed, and `upgrade abort` does not go back any more. */
  readonly isPastAbort: boolean
  /** Whether this upgrade made the node unschedulable; only then it makes it schedulable again. */
  readonly hasCordoned: boolean
  /** Copies that kubeadm had made here before, which stay; it makes a set of its own at each run. */
  readonly earlierCopies: readonly string[]
}

/** Where kubeadm puts them. */
const KUBEADM_COPIES = '/etc/kubernetes/tmp'

/** Undefined: no upgrade has begun and not ended. */
export async function readState(host: Look): Promise<UpgradeState | undefined> {
  const text = await host.readFile(STATE)
  try {
    return text === undefined ? undefined : (JSON.parse(text) as UpgradeState)
  } catch {
    return undefined // cut short: it was being written before the first change
  }
}

/** Not through the host: what is in edgeadm's own folder is no change of the machine that reset would put back. */
async function writeState(state: UpgradeState): Promise<void> {
  await mkdir(UPGRADE_DIRECTORY, { recursive: true, mode: 0o700 })
  await replaceFile(STATE, `${JSON.stringify(state)}\n`, 0o600)
}

/** Whole or not at all, also after a power cut. The kubelet takes no file whose name begins with a dot for a static Pod. */
export async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const part = join(dirname(path), `.${basename(path)}.part`)
  await writeFile(part, content, { mode, flush: true })
  await rename(part, path)
  await syncDirectory(dirname(path))
}

export async function changeState(host: Look, change: Partial<UpgradeState>): Promise<void> {
  const state = await readState(host)
  if (state !== undefined) await writeState({ ...state, ...change })
}

/** kubeadm's own copies of etcd's data and of manifests pile up, one set for each run; the one that edgeadm took stays. */
export async function removeKubeadmCopies(host: Look): Promise<void> {
  const state = await readState(host)
  if (state === undefined) return
  const earlier = new Set(state.earlierCopies)
  for (const name of await host.list(KUBEADM_COPIES))
    if (!earlier.has(name)) await rm(join(KUBEADM_COPIES, name), { recursive: true, force: true })
}

/** Not a change to put back: edgeadm's own folder. */
export async function forgetState(): Promise<void> {
  await rm(UPGRADE_DIRECTORY, { recursive: true, force: true })
}

/** From here on something is changed, and the same command goes on where it was interrupted. */
export const begin: Phase<UpgradeContext> = {
  name: 'upgrade/begin',
  title: 'Begin the upgrade',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  run: async ({ host, upgrade }) => {
    if ((await readState(host)) !== undefined) return
    const { id, from, to } = upgrade
    const earlierCopies = await host.list(KUBEADM_COPIES)
    await writeState({ id, from, to, isPastAbort: false, hasCordoned: false, earlierCopies })
  },
}
