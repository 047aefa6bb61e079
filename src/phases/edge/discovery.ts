import { bootstrapEdge } from '../../kubeedge/bootstrap.ts'
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
      const ready = taken?.status?.conditions?.find(({ type }) => type === 'Ready')
      if (taken !== undefined && !knowsNodeState)
        throw new EdgeadmError(
          'preflight',
          `the cluster has a node with the name "${settings.node.name}" already`,
          { fix: 'give this machine another name with --node-name, or remove that node from the cluster' },
        )
      if (ready?.status === 'True')
        throw new EdgeadmError(
          'preflight',
          `a node with the name "${settings.node.name}" is in the cluster already, and Ready`,
          { fix: 'give this machine another name with --node-name, or remove that node from the cluster' },
        )
    }
    emit({
      type: 'output',
      text: `[discovery] CloudCore ${facts.kubeEdgeVersion} at ${cloud.address} is this cluster's`,
    })
  },
}
