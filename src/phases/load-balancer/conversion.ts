import { isIP } from 'node:net'
import { parse } from 'yaml'
import { parseHostPort } from '../../config/names.ts'
import type { Look } from '../../host/host.ts'
import {
  type ClusterFacts,
  FACTS_CONFIG_MAP,
  FACTS_KEY,
  NAMESPACE,
  parseClusterFacts,
} from '../../kubeedge/cluster-facts.ts'
import { kubectlGet } from '../../kubernetes/kubectl.ts'

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>
}

interface Balancer {
  readonly address: string
  readonly port: number
}

/** What is left to do, by hand, in a cluster that was made without the balancer it has now. Empty if it was made with it. */
export async function stepsAfterConversion(host: Look, balancer: Balancer): Promise<string[]> {
  const [config, edge] = await Promise.all([
    kubectlGet<ConfigMap>(host, ['configmap', 'kubeadm-config', '-n', 'kube-system']),
    kubectlGet<ConfigMap>(host, ['configmap', FACTS_CONFIG_MAP, '-n', NAMESPACE]),
  ])
  const cluster = parse(config?.data?.ClusterConfiguration ?? '') as { controlPlaneEndpoint?: string } | null
  return remainingSteps(balancer, cluster?.controlPlaneEndpoint, parseClusterFacts(edge?.data?.[FACTS_KEY]))
}

/** @param endpoint the cluster's own, as kubeadm stored it */
export function remainingSteps(
  { address, port }: Balancer,
  endpoint: string | undefined,
  edge: ClusterFacts | undefined,
): string[] {
  const parsed = endpoint === undefined ? undefined : parseHostPort(endpoint)
  const name = typeof parsed === 'object' ? parsed.host : undefined
  if (name === address) return []
  const steps: string[] = []
  if (name === undefined || isIP(name) !== 0)
    steps.push(
      `the cluster was made ${endpoint === undefined ? 'without a control plane endpoint' : `with the endpoint ${endpoint}`}, so its nodes go on asking one master; the API server's certificate names ${address} after \`edgeadm init phase certs/apiserver --apiserver-cert-extra-sans ${address}\` without the old one`,
    )
  else
    steps.push(
      `let ${name} lead to ${address} on every machine now: ${endpoint} then reaches a master that is up, and ${name}:${port} haproxy`,
    )
  if (edge !== undefined && !edge.cloudAddresses.includes(address))
    steps.push(
      `edge nodes find CloudCore at ${edge.cloudAddresses.join(', ')}: \`edgeadm init phase edge\` with the same flags lets it follow ${address}`,
    )
  return steps
}
