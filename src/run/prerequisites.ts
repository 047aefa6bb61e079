import { parseAllDocuments } from 'yaml'
import type { Look } from '../host/host.ts'
import { LocalMachine } from '../host/local.ts'
import { lookAt } from '../host/look.ts'
import { UnprivilegedMachine } from '../host/unprivileged.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { KUBEADM_CONFIG } from '../phases/context.ts'

/** kubeadm's check IsPrivilegedUser, before anything else. A dry run needs no root: it only looks. */
export function requireLinuxRoot(command: string, dryRun: boolean): void {
  if (process.platform !== 'linux') {
    throw new EdgeadmError('preflight', `edgeadm ${command} runs on Linux, and this is ${process.platform}`)
  }
  if (dryRun || process.getuid?.() === 0) return
  throw new EdgeadmError('preflight', '[ERROR IsPrivilegedUser]: user is not running as root', {
    fix: `run it with sudo: \`sudo edgeadm ${command} …\``,
  })
}

/** What a command looks through before its run begins. */
export function readOnlyHost({ signal }: Reporting): Look {
  const machine =
    process.getuid?.() === 0 ? new LocalMachine(signal) : new UnprivilegedMachine(signal, () => {})
  return lookAt(machine)
}

/** The token of an earlier run on this machine: a rerun goes on with it, so that its join line stays true. */
export async function previousToken(host: Look): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const text = await host.readFile(KUBEADM_CONFIG)
  if (text === undefined) return undefined
  for (const document of parseAllDocuments(text)) {
    const token: unknown = document.getIn(['bootstrapTokens', 0, 'token'])
    if (typeof token === 'string') return token
  }
  return undefined
}
