/**
 * Cuts and heals cables between machines of a lab, for tests of what a cluster does without its network. Frames are
 * dropped between the two ports of the bridge, whatever addresses they carry, so virtual addresses are cut too.
 */

import { run } from './command.ts'
import { portOf } from './network.ts'
import { networkNamespace } from './paths.ts'
import { machineOf, readLab } from './state.ts'

const TABLE = 'bridge edgeadm-lab'

/** Cuts `machine` off from `others`, in both directions; from every machine and the bridge if none are named. */
export async function cutMachine(lab: string, machine: string, others?: readonly string[]): Promise<void> {
  const state = await readLab(lab)
  const [port, ...otherPorts] = [machine, ...(others ?? [])].map((name) =>
    portOf(machineOf(state, name).name),
  )
  if (!port) return
  if (others === undefined) {
    await run('ip', ['-n', networkNamespace(lab), 'link', 'set', port, 'down'])
    return
  }
  const pairs = otherPorts.flatMap((other) => [`"${port}" . "${other}"`, `"${other}" . "${port}"`])
  if (pairs.length === 0) return
  // Adding what is there already changes nothing, in nft's language.
  await nft(lab, [
    `add table ${TABLE}`,
    `add set ${TABLE} cut { type ifname . ifname; }`,
    `add chain ${TABLE} forward { type filter hook forward priority 0; }`,
    `flush chain ${TABLE} forward`,
    `add rule ${TABLE} forward iifname . oifname @cut drop`,
    `add element ${TABLE} cut { ${pairs.join(', ')} }`,
  ])
}

/** Takes back every cut of a machine. */
export async function healMachine(lab: string, machine: string): Promise<void> {
  const state = await readLab(lab)
  const port = portOf(machineOf(state, machine).name)
  await run('ip', ['-n', networkNamespace(lab), 'link', 'set', port, 'up'])
  const all = state.machines.map(({ name }) => portOf(name)).filter((name) => name !== port)
  const pairs = all.flatMap((other) => [`"${port}" . "${other}"`, `"${other}" . "${port}"`])
  if (pairs.length === 0) return
  await nft(lab, [
    `add table ${TABLE}`,
    `add set ${TABLE} cut { type ifname . ifname; }`,
    // An element has to be there to be deleted.
    `add element ${TABLE} cut { ${pairs.join(', ')} }`,
    `delete element ${TABLE} cut { ${pairs.join(', ')} }`,
  ])
}

/** All lines take effect at once, or none. */
async function nft(lab: string, lines: readonly string[]): Promise<void> {
  await run('ip', ['netns', 'exec', networkNamespace(lab), 'nft', '-f', '-'], { input: lines.join('\n') })
}
