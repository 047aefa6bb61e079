/**
 * A lab's network: a namespace of its own with one bridge in it. Nothing in it forwards, so no packet of a machine
 * leaves it: what works here works without a route out.
 */

import { existsSync } from 'node:fs'
import { probe, run } from './command.ts'
import { NETWORK } from './names.ts'
import { BRIDGE, networkNamespace, networkNamespaceFile } from './paths.ts'

export async function makeNetwork(lab: string, signal: AbortSignal): Promise<void> {
  const namespace = networkNamespace(lab)
  await run('ip', ['netns', 'add', namespace], { signal })
  await configureNetwork(lab, signal)
}

async function configureNetwork(lab: string, signal: AbortSignal): Promise<void> {
  await run('ip', ['-n', networkNamespace(lab), '-batch', '-'], {
    signal,
    input: [
      'link set lo up',
      `link add ${BRIDGE} type bridge`,
      `addr add ${NETWORK.gateway}/${NETWORK.prefix} dev ${BRIDGE}`,
      `link set ${BRIDGE} up`,
    ].join('\n'),
  })
}

/** Makes the network again if a reboot of the host took it. */
export async function ensureNetwork(lab: string, signal: AbortSignal): Promise<void> {
  if (existsSync(networkNamespaceFile(lab))) {
    const bridge = await probe('ip', ['-n', networkNamespace(lab), 'link', 'show', BRIDGE], { signal })
    if (bridge.exitCode === 0) return
    await removeNetwork(lab)
  }
  await makeNetwork(lab, signal)
}

/** Removes the namespace and with it the bridge, interfaces and rules. All machines must have ended. */
export async function removeNetwork(lab: string): Promise<void> {
  if (existsSync(networkNamespaceFile(lab))) await run('ip', ['netns', 'delete', networkNamespace(lab)])
}

/** The host's end of the machine's cable, as systemd-nspawn names it. */
export function portOf(machine: string): string {
  return `vb-${machine}`
}

/** Takes away the cable of a machine that was killed, which would keep it from booting again. */
export async function removePort(lab: string, machine: string): Promise<void> {
  if (!existsSync(networkNamespaceFile(lab))) return
  const inside = ['-n', networkNamespace(lab), 'link']
  const port = await probe('ip', [...inside, 'show', portOf(machine)])
  if (port.exitCode === 0) await run('ip', [...inside, 'delete', portOf(machine)])
}
