/** `edgeadm token …`: kubeadm's token commands. A token or key goes to kubeadm in a file that only root reads, never in argv. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { kubeadmApiVersion } from '../config/kubeadm-api.ts'
import {
  certificateKeyProblem,
  generateCertificateKey,
  generateToken,
  isTokenId,
  parseToken,
  tokenProblem,
} from '../config/tokens.ts'
import type { Output } from '../host/host.ts'
import { LocalMachine } from '../host/local.ts'
import { KUBEADM } from '../kubernetes/kubectl.ts'
import { ADMIN_CONF } from '../kubernetes/paths.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { KUBEADM_ENV } from '../phases/context.ts'
import { renewCertificates } from './renew-certificates.ts'

/** What a `token` command may be given; names are kubeadm's flags. */
export interface TokenFlags {
  readonly kubeconfig?: string | undefined
  readonly 'dry-run'?: boolean | undefined
}

export interface TokenCreateFlags extends TokenFlags {
  readonly config?: string | undefined
  readonly description?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly ttl?: string | undefined
  readonly usages?: readonly string[] | undefined
  readonly 'print-join-command'?: boolean | undefined
  readonly 'certificate-key'?: string | undefined
  readonly 'control-plane'?: boolean | undefined
}

/** Creates a token; resolves with what kubeadm would print: the token, or the join line with edgeadm's name. */
export async function createToken(
  given: string | undefined,
  flags: TokenCreateFlags,
  reporting: Reporting,
): Promise<string> {
  const problem = given === undefined ? undefined : tokenProblem(given)
  if (problem !== undefined)
    throw new EdgeadmError('usage', problem, { fix: '`edgeadm token generate` makes one' })
  if (flags.config !== undefined)
    refuse(
      [
        ...OF_THE_TOKEN.filter((name) => flags[name] !== undefined).map((name) => `--${name}`),
        ...(given === undefined ? [] : ['the token']),
      ],
      'cannot be given beside --config: the first bootstrapTokens entry of the file says it',
    )
  const certificateKey = wantedKey(flags)
  const token = given ?? generateToken()
  const line = await withConfig(flags, token, reporting, (config) =>
    kubeadmToken(
      ['create', '--config', config, ...(flags['print-join-command'] ? ['--print-join-command'] : [])],
      flags,
      reporting,
    ),
  )
  const printed = line.stdout.trim().replace(/^kubeadm join/, 'edgeadm join')
  if (certificateKey === undefined) return printed
  if (flags['control-plane'] && !flags['dry-run'])
    await renewCertificates(certificateKey, flags.kubeconfig ?? ADMIN_CONF, reporting)
  return `${printed} --control-plane --certificate-key ${certificateKey}`
}

/** What kubeadm would read from the file alone. */
const OF_THE_TOKEN = ['ttl', 'description', 'groups', 'usages'] as const

/** @throws EdgeadmError class `usage` if there are any: a flag is never ignored */
export function refuse(given: readonly string[], why: string): void {
  if (given.length > 0) throw new EdgeadmError('usage', `${given.join(', ')} ${why}`)
}

/** The key for the join line of a master: given, or new for certificates that are uploaded now. */
function wantedKey(flags: TokenCreateFlags): string | undefined {
  const given = flags['certificate-key']
  if ((given !== undefined || flags['control-plane']) && !flags['print-join-command'])
    throw new EdgeadmError(
      'usage',
      `--${flags['control-plane'] ? 'control-plane' : 'certificate-key'} goes with --print-join-command`,
    )
  const problem = given === undefined ? undefined : certificateKeyProblem(given)
  if (problem !== undefined) throw new EdgeadmError('usage', `--certificate-key: ${problem}`)
  return given ?? (flags['control-plane'] ? generateCertificateKey() : undefined)
}

/** kubeadm's own table or document: `text`, `json` or `yaml`. */
export async function listTokens(
  format: 'text' | 'json' | 'yaml',
  flags: TokenFlags,
  reporting: Reporting,
): Promise<string> {
  return (await kubeadmToken(['list', '-o', format], flags, reporting)).stdout.trimEnd()
}

/** @param names token ids or whole tokens; of a token only its id is passed on */
export async function deleteTokens(
  names: readonly string[],
  flags: TokenFlags,
  reporting: Reporting,
): Promise<string[]> {
  const ids = names.map((name) => parseToken(name)?.id ?? name)
  const wrong = ids.findIndex((id) => !isTokenId(id))
  if (wrong >= 0) {
    throw new EdgeadmError('usage', `argument ${wrong + 1} is neither a token nor a token id ([a-z0-9]{6})`, {
      fix: '`edgeadm token list` shows the ids',
    })
  }
  const output = await kubeadmToken(['delete', ...ids], flags, reporting)
  return output.stdout.trim().split('\n')
}

/** kubeadm reads the token from an InitConfiguration: the user's file completed, or one made here. */
async function withConfig<T>(
  flags: TokenCreateFlags,
  token: string,
  reporting: Reporting,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (flags.config !== undefined) return use(flags.config)
  const version = (
    await new LocalMachine(reporting.signal).execute(KUBEADM, ['version', '-o', 'short'])
  ).stdout.trim()
  const entry = {
    token,
    ...(flags.ttl === undefined ? {} : { ttl: flags.ttl }),
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...(flags.groups === undefined ? {} : { groups: flags.groups }),
    ...(flags.usages === undefined ? {} : { usages: flags.usages }),
  }
  const directory = await mkdtemp('/run/edgeadm-token-')
  try {
    const path = join(directory, 'token.yaml')
    const document = {
      apiVersion: kubeadmApiVersion(version),
      kind: 'InitConfiguration',
      bootstrapTokens: [entry],
    }
    await writeFile(path, stringify(document, { version: '1.1' }), { mode: 0o600 })
    return await use(path)
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function kubeadmToken(
  args: readonly string[],
  flags: TokenFlags,
  reporting: Reporting,
): Promise<Output> {
  const machine = new LocalMachine(reporting.signal)
  const kubeconfig = flags.kubeconfig ?? ADMIN_CONF
  const dryRun = flags['dry-run'] ? ['--dry-run'] : []
  const output = await machine.execute(KUBEADM, ['token', ...args, '--kubeconfig', kubeconfig, ...dryRun], {
    env: KUBEADM_ENV,
  })
  if (output.exitCode === 0) return output
  if (output.exitCode === 127) {
    throw new EdgeadmError('preflight', 'there is no kubeadm on this machine', { fix: 'run it on a master' })
  }
  if ((await machine.stat(kubeconfig)) === undefined) {
    throw new EdgeadmError('preflight', `there is no ${kubeconfig} on this machine`, {
      fix: 'run it on a master, or name credentials with --kubeconfig',
    })
  }
  const said = output.stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('To see the stack trace'))
  throw new EdgeadmError(
    'phase',
    `kubeadm token ${args[0]}: ${said.at(-1)?.replace(/^error: /, '') ?? 'failed'}`,
    { details: said.slice(0, -1) },
  )
}
