import type { Host } from '../../host/host.ts'
import { NAMESPACE, readClusterFacts } from '../../kubeedge/cluster-facts.ts'
import { termsFor } from '../../kubeedge/placement.ts'
import { changeCluster, type KubectlOptions, kubectlGet } from '../../kubernetes/kubectl.ts'
import { apiAddressOf, type Master, readMasters } from '../../kubernetes/masters.ts'
import type { JoinContext } from '../context.ts'
import { openCloudPorts } from '../node/firewall.ts'
import type { Phase } from '../workflow.ts'
import { followRelays } from './mesh/masters.ts'

/** Their Pods run on masters, under host network. */
const WORKLOADS = [
  { kind: 'daemonset', name: 'cloudcore' },
  { kind: 'deployment', name: 'cloudcore' },
  { kind: 'daemonset', name: 'cloud-iptables-manager' },
] as const
/** In cloud-iptables-manager: it lets API servers alone reach CloudCore's stream port. */
const GUARD = { container: 'tunnel-guard', variable: 'MASTERS' } as const

/** The value of the guard's variable. */
export const guardedAddresses = (masters: readonly Master[]): string => masters.map(apiAddressOf).join(' ')

/** A further master: CloudCore may run here from now on, and its API server reaches edge nodes through CloudCore's tunnel. */
export const edgeMasters: Phase<JoinContext> = {
  name: 'edge/masters',
  title: 'Let the cloud side of edge nodes run on this master',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  run: async (ctx) => {
    const { host, emit } = ctx
    const facts = await readClusterFacts(host)
    if (facts === undefined)
      return emit({ type: 'output', text: 'This cluster has no cloud side for edge nodes' })
    // Before CloudCore comes here.
    await openCloudPorts(ctx, facts.stream)
    await followMasters(host)
  },
}

/**
 * Makes the cloud side equal to the record of the masters, after one has come or gone. When two masters join at once, the
 * record changes meanwhile: then once more.
 */
export async function followMasters(host: Host, options: KubectlOptions = {}): Promise<void> {
  for (let before = ''; ; ) {
    const masters = await readMasters(host, options)
    const now = JSON.stringify(masters)
    if (now === before || masters.length === 0) return
    before = now
    for (const { kind, name } of WORKLOADS) await place(host, kind, name, masters, options)
    await followRelays(host, masters, options)
  }
}

interface Workload {
  readonly spec: { readonly template: { readonly spec: PodSpec } }
}

interface PodSpec {
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms?: unknown }
    }
  }
  readonly initContainers?: readonly { readonly name: string; readonly env?: unknown }[]
}

async function place(
  host: Host,
  kind: string,
  name: string,
  masters: readonly Master[],
  options: KubectlOptions,
): Promise<void> {
  const inNamespace = { ...options, namespace: NAMESPACE }
  const found = await kubectlGet<Workload>(host, [kind, name], inNamespace)
  if (found === undefined) return
  const { affinity, initContainers = [] } = found.spec.template.spec
  const terms = termsFor(masters.map(({ node }) => node))
  const env = [{ name: GUARD.variable, value: guardedAddresses(masters) }]
  const guard = initContainers.find((container) => container.name === GUARD.container)
  const has = [
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
    guard?.env,
  ]
  if (JSON.stringify(has) === JSON.stringify([terms, guard && env])) return
  const spec = {
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
    },
    ...(guard && { initContainers: [{ name: GUARD.container, env }] }),
  }
  const patch = JSON.stringify({ spec: { template: { spec } } })
  await changeCluster(
    host,
    `let ${name} run on ${masters.map(({ node }) => node).join(', ')}`,
    ['patch', kind, name, '--type=strategic', '-p', patch],
    inNamespace,
  )
}
