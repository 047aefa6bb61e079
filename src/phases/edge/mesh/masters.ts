import { isIPv4 } from 'node:net'
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
import type { JoinContext } from '../../context.ts'
import type { Phase } from '../../workflow.ts'

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

/** A further master relays for EdgeMesh as the first does, unless `init` was told who does (`--edgemesh-relay`). */
export const meshMasters: Phase<JoinContext> = {
  name: 'edge/edgemesh-relay',
  title: "Add this master to EdgeMesh's relays",
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  verify: async () => true,
  run: async ({ host, settings, emit }) => {
    const address = settings.controlPlane?.advertiseAddress ?? ''
    const maps = await configurations(host)
    if (maps.length === 0)
      return emit({ type: 'output', text: 'This cluster has no EdgeMesh whose relays are its masters' })
    // It dials IPv4 only.
    if (!isIPv4(address)) return
    const relay: Relay = { nodeName: settings.node.name, advertiseAddress: [address] }
    for (const map of maps) await change(host, map, (text) => withRelay(text, relay))
  },
}

/** For a master that has left. */
export async function endRelay(host: Host, node: string, options: KubectlOptions): Promise<void> {
  for (const map of await configurations(host, options))
    await change(host, map, (text) => withoutRelay(text, node), options)
}

async function configurations(host: Host, options: KubectlOptions = {}): Promise<readonly ConfigMap[]> {
  const selector = ['configmaps', '-l', `${RELAYS_LABEL}=${FOLLOW_MASTERS}`]
  const found = await kubectlGet<{ items: ConfigMap[] }>(host, selector, { ...options, namespace: NAMESPACE })
  return found?.items ?? []
}

interface Configuration {
  readonly text: string
  readonly relays: readonly Relay[]
}

/** The configuration, then the Pods: each for itself, so that a run that was cut short between them is made good by the next. */
async function change(
  host: Host,
  { metadata: { name }, data = {} }: ConfigMap,
  make: (text: string) => Configuration,
  options: KubectlOptions = {},
): Promise<void> {
  const inNamespace = { ...options, namespace: NAMESPACE }
  const patch = (title: string, object: string, content: object) =>
    changeCluster(host, title, ['patch', object, '--type=merge', '-p', JSON.stringify(content)], inNamespace)
  const [[file, text] = ['', '']] = Object.entries(data)
  const { text: changed, relays } = make(text)
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

/** The configuration of EdgeMesh with one more relay; the text as it was if that is in it. */
export function withRelay(text: string, relay: Relay): Configuration {
  return changed(text, (relays) =>
    relays.some(({ nodeName }) => nodeName === relay.nodeName) ? relays : [...relays, relay],
  )
}

/** Without the relay on a node; the text as it was if there is none, or no other. */
export function withoutRelay(text: string, node: string): Configuration {
  return changed(text, (relays) => {
    const others = relays.filter(({ nodeName }) => nodeName !== node)
    return others.length === relays.length || others.length === 0 ? relays : others
  })
}

function changed(text: string, make: (relays: readonly Relay[]) => readonly Relay[]): Configuration {
  const document = parseDocument(text)
  const { modules } = document.toJS() as { modules: { edgeTunnel: { relayNodes?: Relay[] } } }
  const before = modules.edgeTunnel.relayNodes ?? []
  const relays = make(before)
  if (relays === before) return { text, relays }
  document.setIn(PATH, document.createNode(relays, { flow: true }))
  return { text: document.toString({ lineWidth: 0 }), relays }
}
