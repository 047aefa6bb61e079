import type { JoinSettings } from '../../config/types.ts'
import { bootstrapEdge, type NodeObject } from '../../kubeedge/bootstrap.ts'
import { checkReachable } from '../../kubeedge/cloudcore-client.ts'
import { METASERVER_LABEL } from '../../kubeedge/mesh.ts'
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
    const { cloud, facts, node } = await bootstrapEdge(settings, signal)
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
    const isRerun = (await host.stat(EDGE_CERTIFICATE)) !== undefined
    const found = await node()
    if (found !== undefined && isRerun) checkMode(settings, found)
    else if (found !== undefined) checkName(settings, found)
    emit({
      type: 'output',
      text: `[discovery] CloudCore ${facts.kubeEdgeVersion} at ${cloud.address} is this cluster's`,
    })
  },
}

/**
 * A node cannot change this label, which is what makes CloudCore take requests without a token from it.
 * @throws EdgeadmError class `preflight`: it joined with another mode
 */
function checkMode({ node, edge }: JoinSettings, found: NodeObject): void {
  const mode = found.metadata?.labels?.[METASERVER_LABEL]
  if (mode === undefined || mode === edge.metaServer) return
  throw new EdgeadmError(
    'preflight',
    `this node joined with --metaserver=${mode}, and a node cannot change that itself`,
    {
      fix: `run \`kubectl label node ${node.name} ${METASERVER_LABEL}=${edge.metaServer} --overwrite\` on a master first, or use --metaserver=${mode}`,
    },
  )
}

/**
 * CloudCore signs no certificate for the name of a node that exists, and what KubeEdge keeps of an earlier node would keep
 * the secure MetaServer of this one from ever answering.
 * @throws EdgeadmError class `preflight`: a node of this name is in the way
 */
function checkName({ node }: JoinSettings, taken: NodeObject): void {
  const isReady = taken.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  const state = isReady === true ? ', and Ready' : ''
  throw new EdgeadmError(
    'preflight',
    `a node with the name "${node.name}" is in the cluster already${state}`,
    {
      fix: `give this machine another name with --node-name, or take the earlier node out: \`edgeadm reset --remove-node ${node.name}\` on a master`,
    },
  )
}
