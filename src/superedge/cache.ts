/**
 * lite-apiserver's cache: one file per client and request, called CLIENT_NAMESPACE_RESOURCE_NAME_SUBRESOURCE, with "_list"
 * after lists; every slash is an underscore. A file holds the last answer, and a watch changes that of its list. Source:
 * pkg/lite-apiserver/cache/cache_mgr.go, storage/file_storage.go.
 */

interface Wanted {
  readonly node: string
  /** Whether kube-proxy runs on this node. */
  readonly kubeProxy: boolean
}

/** What a restart without the master needs and the cache lacks. @param files names in its folder */
export function missingInCache(files: readonly string[], { node, kubeProxy }: Wanted): string[] {
  const needed: readonly (readonly [what: string, name: RegExp])[] = [
    ["the kubelet's node", nodeFile('kubelet', node)],
    // The kubelet makes it when it first starts, and reads it only when it starts again.
    ["the kubelet's CSINode", oneFile('kubelet', 'csinodes', node)],
    ["the kubelet's Pods", listFile('kubelet', 'pods')],
    ...(kubeProxy
      ? ([
          ["kube-proxy's Services", listFile('kube-proxy', 'services')],
          ["kube-proxy's EndpointSlices", listFile('kube-proxy', 'endpointslices')],
        ] as const)
      : []),
  ]
  return needed.filter(([, name]) => !files.some((file) => name.test(file))).map(([what]) => what)
}

/** The file of a client's question for its own node. */
export const nodeFile = (client: string, node: string): RegExp => oneFile(client, 'nodes', node)

/** Whether flannel would find its own network in this answer: with another it would have to tell the API server, and wait. */
export function hasFlannelNetwork(file: string): boolean {
  const { body } = JSON.parse(file) as { body: string }
  const node = JSON.parse(Buffer.from(body, 'base64').toString('utf8')) as {
    metadata?: { annotations?: Record<string, string> }
  }
  return node.metadata?.annotations?.['flannel.alpha.coreos.com/backend-data'] !== undefined
}

function oneFile(client: string, resource: string, name: string): RegExp {
  return new RegExp(`^${client}_[^_]+__${resource}_${name.replaceAll('.', '\\.')}_$`)
}

function listFile(client: string, resource: string): RegExp {
  return new RegExp(`^${client}_[^_]+__${resource}___list$`)
}
