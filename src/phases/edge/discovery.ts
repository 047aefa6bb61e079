import type { JoinSettings } from '../../config/types.ts'
import { bootstrapEdge, type NodeObject } from '../../kubeedge/bootstrap.ts'
import { checkReachable } from '../../kubeedge/cloudcore-client.ts'
import { EDGE_CERTIFICATE } from '../../kubeedge/paths.ts'
import { checkPair } from '../../kubeedge/versions.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { requiredEdgeParts } from './with-edge.ts'

const minorOf = (version: string) => version.split('.').slice(0, 2).join('.')

/** Everything about the cluster that could keep this machine from becoming its edge node, before anything is changed. */
export const edgeDiscovery: Phase<JoinContext> = {
  name: 'discovery',
  title: 'Find the control plane and CloudCore, and check their identity',
  preliminary: true,
  run: async (ctx) => {
    const { settings, host, signal, emit } = ctx
    const parts = requiredEdgeParts(ctx)
    const wanted = settings.edge.cloudAddresses[0]
    if (wanted !== undefined) await checkReachable(wanted, { signal })
    const { cloud, facts, knowsNodeState, node } = await bootstrapEdge(settings, signal)
    await checkReachable(cloud.address, { signal })
    if (minorOf(parts.version) !== minorOf(facts.kubeEdgeVersion))
      throw new EdgeadmError(
        'package',
        `the package has KubeEdge ${parts.version}, and the cluster runs ${facts.kubeEdgeVersion}`,
        { fix: 'use the package that the master was made with' },
      )
    const verdict = checkPair(parts.version, facts.kubernetesVersion)
    if (verdict.state !== 'good') emit({ type: 'warning', text: verdict.reason })
    // A rerun meets the node that the first run made.
    if ((await host.stat(EDGE_CERTIFICATE)) === undefined) {
      const taken = await node()
      if (taken !== undefined) checkName(settings, taken, knowsNodeState)
    }
    emit({
      type: 'output',
      text: `[discovery] CloudCore ${facts.kubeEdgeVersion} at ${cloud.address} is this cluster's`,
    })
  },
}

/** @throws EdgeadmError class `preflight`: a node of this name is in the way */
function checkName({ node, edge }: JoinSettings, taken: NodeObject, knowsNodeState: boolean): void {
  const isReady = taken.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  // What KubeEdge keeps of the earlier node would keep the secure MetaServer of this one from ever answering.
  if (knowsNodeState && isReady !== true && edge.metaServer === 'plain') return
  const state = isReady === true ? ', and Ready' : ''
  throw new EdgeadmError(
    'preflight',
    `a node with the name "${node.name}" is in the cluster already${state}`,
    {
      fix: `give this machine another name with --node-name, or take the earlier node out: \`edgeadm reset --remove-node ${node.name}\` on a master`,
    },
  )
}
