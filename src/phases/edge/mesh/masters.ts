import { parseDocument } from 'yaml'
import type { Host } from '../../../host/host.ts'
import { NAMESPACE } from '../../../kubeedge/cluster-facts.ts'
import {
  FOLLOW_MASTERS,
  hashOf,
  RELAYS_ANNOTATION,
  RELAYS_LABEL,
  type Relay,
} from '../../../kubeedge/mesh.ts'
import { changeCluster, type KubectlOptions, kubectlGet } from '../../../kubernetes/kubectl.ts'
import type { Master } from '../../../kubernetes/masters.ts'

const PATH = ['modules', 'edgeTunnel', 'relayNodes']

interface ConfigMap {
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
}

interface DaemonSet {
  readonly spec: {
    readonly template: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }
  }
}

/** The masters that can be relays: EdgeMesh dials IPv4 only, and leaves out a relay with any other address without a word. */
export const relaysIn = (masters: readonly Master[]): Relay[] =>
  masters
    .filter(({ relayAddresses }) => relayAddresses.length > 0)
    .map(({ node, relayAddresses }) => ({ nodeName: node, advertiseAddress: relayAddresses }))

/** The masters are EdgeMesh's relays, unless `init` was told who is (`--edgemesh-relay`). */
export async function followRelays(
  host: Host,
  masters: readonly Master[],
  options: KubectlOptions,
): Promise<void> {
  const relays = relaysIn(masters)
  // Without any relay the mesh would have no beginning.
  if (relays.length === 0) return
  for (const map of await configurations(host, options)) await change(host, map, relays, options)
}

async function configurations(host: Host, options: KubectlOptions = {}): Promise<readonly ConfigMap[]> {
  const selector = ['configmaps', '-l', `${RELAYS_LABEL}=${FOLLOW_MASTERS}`]
  const found = await kubectlGet<{ items: ConfigMap[] }>(host, selector, { ...options, namespace: NAMESPACE })
  return found?.items ?? []
}

/** The configuration, then the Pods: each for itself, so that a run that was cut short between them is made good by the next. */
async function change(
  host: Host,
  { metadata: { name }, data = {} }: ConfigMap,
  relays: readonly Relay[],
  options: KubectlOptions = {},
): Promise<void> {
  const inNamespace = { ...options, namespace: NAMESPACE }
  const patch = (title: string, object: string, content: object) =>
    changeCluster(host, title, ['patch', object, '--type=merge', '-p', JSON.stringify(content)], inNamespace)
  const [[file, text] = ['', '']] = Object.entries(data)
  const changed = withRelays(text, relays)
  if (changed !== text)
    await patch(`change the relays of ${name}`, `configmap/${name}`, { data: { [file]: changed } })
  const hash = hashOf(relays)
  const found = await kubectlGet<DaemonSet>(host, ['daemonset', name], inNamespace)
  const pods = found?.spec.template.metadata
  if (pods === undefined || pods.annotations?.[RELAYS_ANNOTATION] === hash) return
  await patch(`start the Pods of ${name} afresh`, `daemonset/${name}`, {
    spec: { template: { metadata: { annotations: { [RELAYS_ANNOTATION]: hash } } } },
  })
}

/** The configuration of EdgeMesh with these relays; the text as it was if it has them. */
export function withRelays(text: string, relays: readonly Relay[]): string {
  const document = parseDocument(text)
  const { modules } = document.toJS() as { modules: { edgeTunnel: { relayNodes?: Relay[] } } }
  if (JSON.stringify(modules.edgeTunnel.relayNodes ?? []) === JSON.stringify(relays)) return text
  document.setIn(PATH, document.createNode(relays, { flow: true }))
  return document.toString({ lineWidth: 0 })
}
