import { isIPv4 } from 'node:net'
import { parseDocument } from 'yaml'
import type { Host } from '../../host/host.ts'
import { NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import { FOLLOW_MASTERS, hashOf, RELAYS_ANNOTATION, RELAYS_LABEL, type Relay } from '../../kubeedge/mesh.ts'
import { changeCluster, kubectlGet } from '../../kubernetes/kubectl.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

const IN_NAMESPACE = { namespace: NAMESPACE }
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
    const selector = ['configmaps', '-l', `${RELAYS_LABEL}=${FOLLOW_MASTERS}`]
    const maps = (await kubectlGet<{ items: ConfigMap[] }>(host, selector, IN_NAMESPACE))?.items ?? []
    if (maps.length === 0)
      return emit({ type: 'output', text: 'This cluster has no EdgeMesh whose relays are its masters' })
    // It dials IPv4 only.
    if (!isIPv4(address)) return
    const relay: Relay = { nodeName: settings.node.name, advertiseAddress: [address] }
    for (const map of maps) await addRelay(host, map, relay)
  },
}

/** The configuration, then the Pods: each for itself, so that a run that was cut short between them is made good by the next. */
async function addRelay(
  host: Host,
  { metadata: { name }, data = {} }: ConfigMap,
  relay: Relay,
): Promise<void> {
  const [[file, text] = ['', '']] = Object.entries(data)
  const changed = withRelay(text, relay)
  if (changed.text !== text)
    await patch(host, `add ${relay.nodeName} to the relays of ${name}`, `configmap/${name}`, {
      data: { [file]: changed.text },
    })
  const hash = hashOf(changed.relays)
  const pods = (await kubectlGet<DaemonSet>(host, ['daemonset', name], IN_NAMESPACE))?.spec.template.metadata
  if (pods === undefined || pods.annotations?.[RELAYS_ANNOTATION] === hash) return
  await patch(host, `start the Pods of ${name} afresh`, `daemonset/${name}`, {
    spec: { template: { metadata: { annotations: { [RELAYS_ANNOTATION]: hash } } } },
  })
}

/** The configuration of EdgeMesh with one more relay; the text as it was if that is in it. */
export function withRelay(text: string, relay: Relay): { text: string; relays: readonly Relay[] } {
  const document = parseDocument(text)
  const { modules } = document.toJS() as { modules: { edgeTunnel: { relayNodes?: Relay[] } } }
  const relays = modules.edgeTunnel.relayNodes ?? []
  if (relays.some(({ nodeName }) => nodeName === relay.nodeName)) return { text, relays }
  const all = [...relays, relay]
  document.setIn(PATH, document.createNode(all, { flow: true }))
  return { text: document.toString({ lineWidth: 0 }), relays: all }
}

function patch(host: Host, title: string, object: string, change: object): Promise<void> {
  return changeCluster(
    host,
    title,
    ['patch', object, '--type=merge', '-p', JSON.stringify(change)],
    IN_NAMESPACE,
  )
}
