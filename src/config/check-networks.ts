import type { Sourced } from './inputs.ts'
import {
  type Network,
  nodeMaskProblem,
  nodeNetworks,
  overlap,
  POD_NETWORK_RULES,
  parseNetworks,
  SERVICE_NETWORK_RULES,
} from './networks.ts'
import type { Problems } from './problems.ts'
import type { HostFacts } from './types.ts'

/** Checks Pod and Service networks each for itself, then that Pod, Service and node networks keep apart. */
export function checkNetworks(
  problems: Problems,
  pod: Sourced<string> | undefined,
  service: Sourced<string>,
  facts: HostFacts,
  /** Undefined: kubeadm's default. Null: the controller manager allocates none. */
  nodeMask: { readonly 4?: number; readonly 6?: number } | null,
): void {
  const podNetworks = checkOne(problems, pod, POD_NETWORK_RULES)
  const serviceNetworks = checkOne(problems, service, SERVICE_NETWORK_RULES)
  for (const network of podNetworks) {
    const problem = nodeMask === null ? undefined : nodeMaskProblem(network, nodeMask[network.family])
    if (problem) problems.add(pod?.where ?? '', problem)
  }
  for (const podNetwork of podNetworks) {
    for (const serviceNetwork of serviceNetworks) {
      if (overlap(podNetwork, serviceNetwork))
        problems.add(
          pod?.where ?? '',
          `the Pod network ${podNetwork.text} overlaps the Service network ${serviceNetwork.text}`,
        )
    }
  }
  const named = [
    ...podNetworks.map((network) => ({ network, what: 'Pod', where: pod?.where ?? '' })),
    ...serviceNetworks.map((network) => ({ network, what: 'Service', where: service.where })),
  ]
  for (const { network, what, where } of named) {
    for (const node of nodeNetworks(facts)) {
      if (overlap(network, node.network))
        problems.add(
          where,
          `the ${what} network ${network.text} overlaps the node network ${node.network.text} of ${node.interface}`,
        )
    }
  }
}

function checkOne(
  problems: Problems,
  given: Sourced<string> | undefined,
  rules: Parameters<typeof parseNetworks>[1],
): readonly Network[] {
  if (!given) return []
  const { networks, problems: found } = parseNetworks(given.value, rules)
  for (const problem of found) problems.add(given.where, problem)
  return networks
}
