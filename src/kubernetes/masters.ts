/**
 * The record of the cluster's masters: one ConfigMap each in kube-system. Each master writes its own with the administrator's
 * credentials. A node's credentials, and CloudCore's, may not write there (templates/edge/cloud/node-policy.yaml).
 */

import type { Host, Look } from '../host/host.ts'
import { applyTemplate, changeCluster, type KubectlOptions, kubectlGet } from './kubectl.ts'

export interface Master {
  /** The name of its Node. */
  readonly node: string
  /** The IP address of its Node. */
  readonly address: string
  /** Where its API server listens: `10.0.0.10:6443`. */
  readonly apiServer: string
  /** IPv4 addresses at which it relays for EdgeMesh. */
  readonly relayAddresses: readonly string[]
}

interface ConfigMap {
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
}

const NAMESPACE = 'kube-system'
/** On each record. */
export const MASTER_LABEL = 'edgeadm.io/master'

export const recordName = (node: string) => `edgeadm-master-${node}`

/** In the order of their names. */
export async function readMasters(host: Look, options: KubectlOptions = {}): Promise<Master[]> {
  const args = ['configmaps', '-l', MASTER_LABEL]
  const found = await kubectlGet<{ items: ConfigMap[] }>(host, args, { ...options, namespace: NAMESPACE })
  return mastersIn(found?.items ?? [])
}

/** A record under another name than its master's is nobody's. */
export function mastersIn(configMaps: readonly ConfigMap[]): Master[] {
  return configMaps
    .flatMap(({ metadata, data = {} }) => {
      const { node = '', address = '', apiServer = '', relayAddresses = '' } = data
      if (node === '' || apiServer === '' || metadata.name !== recordName(node)) return []
      return [{ node, address, apiServer, relayAddresses: relayAddresses.split(' ').filter(Boolean) }]
    })
    .sort((one, other) => (one.node < other.node ? -1 : 1))
}

export function recordMaster(host: Host, master: Master): Promise<void> {
  return applyTemplate(host, 'kubernetes/master-record.yaml', { name: recordName(master.node), ...master })
}

/** What has no record already is no failure. */
export function eraseMaster(host: Host, node: string, options: KubectlOptions): Promise<void> {
  return changeCluster(
    host,
    `take ${node} off the masters' record`,
    ['delete', 'configmap', recordName(node), '--ignore-not-found', '--request-timeout=10s'],
    { ...options, namespace: NAMESPACE },
  )
}

/** The IP address at which the API server of a master listens. */
export const apiAddressOf = ({ apiServer }: Master): string =>
  apiServer.slice(0, apiServer.lastIndexOf(':')).replace(/^\[|\]$/g, '')
