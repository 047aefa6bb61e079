/** What `init phase NAME` and `join phase NAME` go by where the command line says nothing: what the machine was set up with. */

import { type ConfigFile, parseConfigFile } from '../config/file.ts'
import { readConfigFile } from '../config/load.ts'
import { DEFAULT_CERT_DIR } from '../config/resolve-common.ts'
import type { Look } from '../host/host.ts'
import { kubectlGet } from '../kubernetes/kubectl.ts'
import { namesIn } from '../kubernetes/serving-names.ts'
import { ADMIN_CONF, KUBEADM_CONFIG } from '../phases/context.ts'
import { Journal } from '../phases/journal.ts'

interface Given {
  readonly config?: string | undefined
  readonly 'cert-dir'?: string | undefined
  readonly 'apiserver-cert-extra-sans'?: readonly string[] | undefined
}

export interface RecordedInput<F> {
  readonly flags: F
  readonly file: ConfigFile | undefined
}

/** The phase that a certificate for more names is made by. */
export const SERVING_CERTIFICATE = 'certs/apiserver'
/** Flags that kubeadm's documents have no field for; the journal has them. */
const IN_JOURNAL = ['cni', 'enable-edge', 'control-plane', 'edge-runtime'] as const

/** @param only the phase; undefined: the whole command, which goes by its own flags and file alone */
export async function recordedInput<F extends Given>(
  command: 'init' | 'join',
  flags: F,
  host: Look,
  only: string | undefined,
): Promise<RecordedInput<F>> {
  if (flags.config !== undefined) return { flags, file: await readConfigFile(flags.config) }
  if (only === undefined || process.getuid?.() !== 0) return { flags, file: undefined }
  const file = await recordedFile(command, host)
  const { earlier } = await Journal.open(command, { readOnly: true })
  const recorded = earlier?.command === command ? fromJournal(earlier.settings, flags) : {}
  return { file, flags: { ...recorded, ...flags, ...(await allNames(flags, file, host, only)) } }
}

async function recordedFile(command: 'init' | 'join', host: Look): Promise<ConfigFile | undefined> {
  const text = await host.readFile(KUBEADM_CONFIG)
  const own = text === undefined ? undefined : parseConfigFile(text, KUBEADM_CONFIG)
  if (own?.documents.has(command === 'init' ? 'InitConfiguration' : 'JoinConfiguration')) return own
  // Phases of init run on further masters as well; the cluster knows what it was made with.
  if (command === 'join' || (await host.stat(ADMIN_CONF)) === undefined) return undefined
  const map = await kubectlGet<{ data?: Record<string, string> }>(host, [
    ...['configmap', 'kubeadm-config', '-n', 'kube-system'],
  ])
  const cluster = map?.data?.ClusterConfiguration
  return cluster === undefined ? undefined : parseConfigFile(cluster, 'ConfigMap kubeadm-config')
}

function fromJournal(settings: Readonly<Record<string, string>>, flags: object): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const name of IN_JOURNAL) {
    const value = settings[`--${name}`]
    // An edge token says by itself what the machine is.
    if (value === undefined || 'edge-token' in flags) continue
    found[name] = value === 'true' ? true : value === 'false' ? false : value
  }
  return found
}

/** A further name of the API server's certificate comes to those that it has: kubeadm would issue the given ones alone. */
async function allNames(
  flags: Given,
  file: ConfigFile | undefined,
  host: Look,
  only: string,
): Promise<Given> {
  const given = flags['apiserver-cert-extra-sans']
  if (only !== SERVING_CERTIFICATE || given === undefined) return {}
  const cluster = file?.documents.get('ClusterConfiguration')?.value
  const { certSANs } = (cluster?.apiServer ?? {}) as { certSANs?: readonly string[] }
  const directory = flags['cert-dir'] ?? String(cluster?.certificatesDir ?? DEFAULT_CERT_DIR)
  const issued = namesIn(await host.readFile(`${directory}/apiserver.crt`))
  return { 'apiserver-cert-extra-sans': [...new Set([...(certSANs ?? []), ...issued, ...given])] }
}
