/**
 * lite-apiserver's cache: one file per client and request, called CLIENT_NAMESPACE_RESOURCE_NAME_SUBRESOURCE, with "_list"
 * after lists; every slash is an underscore. Source: pkg/lite-apiserver/cache/cache_mgr.go and storage/file_storage.go.
 */

interface Wanted {
  readonly node: string
  /** Whether kube-proxy runs on this node. */
  readonly kubeProxy: boolean
}

/** What a restart without the master needs and the cache lacks. @param files names in its folder */
export function missingInCache(files: readonly string[], { node, kubeProxy }: Wanted): string[] {
  const needed: readonly (readonly [what: string, name: RegExp])[] = [
    ["the kubelet's node", nameOf('kubelet', 'nodes', node)],
    ["the kubelet's CSINode", nameOf('kubelet', 'csinodes', node)],
    ["the kubelet's Pods", nameOf('kubelet', 'pods', '', 'list')],
    ...(kubeProxy
      ? ([
          ["kube-proxy's Services", nameOf('kube-proxy', 'services', '', 'list')],
          ["kube-proxy's EndpointSlices", nameOf('kube-proxy', 'endpointslices', '', 'list')],
        ] as const)
      : []),
  ]
  return needed.filter(([, name]) => !files.some((file) => name.test(file))).map(([what]) => what)
}

function nameOf(client: string, resource: string, name: string, list?: 'list'): RegExp {
  const escaped = name.replace(/[.]/g, '\\.')
  return new RegExp(`^${client}_[^_]+__${resource}_${escaped}_${list === undefined ? '' : '(_list)?'}$`)
}
