import type { Host } from '../../host/host.ts'
import { NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import { changeCluster, type KubectlOptions, kubectlGet } from '../../kubernetes/kubectl.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

const DAEMON_SET = 'cloud-iptables-manager'
const CONTAINER = 'tunnel-guard'
const VARIABLE = 'MASTERS'

interface DaemonSet {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly initContainers?: readonly {
          readonly name: string
          readonly env?: readonly { readonly name: string; readonly value?: string }[]
        }[]
      }
    }
  }
}

/** Addresses of API servers that CloudCore's stream port is open to; undefined if the cluster has no cloud side. */
export async function guardedMasters(
  host: Host,
  options: KubectlOptions = {},
): Promise<string[] | undefined> {
  const found = await kubectlGet<DaemonSet>(host, ['daemonset', DAEMON_SET], {
    ...options,
    namespace: NAMESPACE,
  })
  if (found === undefined) return undefined
  const guard = found.spec.template.spec.initContainers?.find(({ name }) => name === CONTAINER)
  const value = guard?.env?.find(({ name }) => name === VARIABLE)?.value ?? ''
  return value.split(' ').filter((address) => address !== '')
}

/** A further master: its API server, too, reaches edge nodes through CloudCore's tunnel (kubectl logs and exec). */
export const edgeMasters: Phase<JoinContext> = {
  name: 'edge/masters',
  title: "Open CloudCore's tunnel to this master",
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  verify: async () => true,
  run: async ({ host, settings, emit }) => {
    const masters = await guardedMasters(host)
    const own = settings.controlPlane?.advertiseAddress
    if (masters === undefined || own === undefined)
      return emit({ type: 'output', text: 'This cluster has no cloud side for edge nodes' })
    if (masters.includes(own)) return
    await guard(host, `open CloudCore's tunnel to ${own}`, [...masters, own])
  },
}

/** For a master that has left: its address may be somebody else's next. */
export async function closeTunnel(
  host: Host,
  addresses: readonly string[],
  options: KubectlOptions,
): Promise<void> {
  const masters = await guardedMasters(host, options)
  const left = masters?.filter((address) => !addresses.includes(address)) ?? []
  if (left.length === (masters?.length ?? 0)) return
  await guard(host, `close CloudCore's tunnel to ${addresses.join(', ')}`, left, options)
}

function guard(
  host: Host,
  title: string,
  masters: readonly string[],
  options: KubectlOptions = {},
): Promise<void> {
  const env = [{ name: VARIABLE, value: masters.join(' ') }]
  const patch = { spec: { template: { spec: { initContainers: [{ name: CONTAINER, env }] } } } }
  const command = ['patch', 'daemonset', DAEMON_SET, '--type=strategic', '-p', JSON.stringify(patch)]
  return changeCluster(host, title, command, { ...options, namespace: NAMESPACE })
}
