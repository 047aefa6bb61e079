export interface RegistryReference {
  /** `https://registry.k8s.io` */
  readonly origin: string
  /** `registry.k8s.io` */
  readonly registry: string
  /** `coredns/coredns` */
  readonly repository: string
  /** Tag or digest. */
  readonly reference: string
}

/** Takes an image's full reference apart. Docker Hub's names may be short. */
export function registryOf(image: string): RegistryReference {
  const [name = '', digest] = image.split('@')
  const slash = name.indexOf('/')
  const first = slash === -1 ? '' : name.slice(0, slash)
  const hasDomain = /[.:]/.test(first) || first === 'localhost'
  const registry = hasDomain ? first : 'docker.io'
  const rest = hasDomain ? name.slice(slash + 1) : name.includes('/') ? name : `library/${name}`
  const colon = rest.lastIndexOf(':')
  const repository = colon === -1 ? rest : rest.slice(0, colon)
  const reference = digest ?? (colon === -1 ? 'latest' : rest.slice(colon + 1))
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
  return { origin: `https://${host}`, registry, repository, reference }
}
