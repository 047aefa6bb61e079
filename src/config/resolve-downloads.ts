import ipaddr from 'ipaddr.js'
import type { DownloadSettings } from './edge-configuration.ts'
import { edge, type Resolution } from './resolve-common.ts'

/** What the flags and the file say about downloads. */
export function resolveDownloads(resolution: Resolution): DownloadSettings {
  const { inputs, problems } = resolution
  const mirrors = inputs.list('mirror', edge('package.mirrors'))
  for (const url of mirrors?.value ?? []) {
    const problem = urlProblem(url)
    if (problem !== undefined) problems.add(mirrors?.where ?? '', problem)
  }
  const assertOffline = inputs.bool('assert-offline', edge('package.assertOffline'))?.value ?? false
  const siteNetworks = inputs.list('site-network', edge('package.siteNetworks'))
  for (const text of siteNetworks?.value ?? [])
    if (!ipaddr.isValid(text) && !ipaddr.isValidCIDR(text))
      problems.add(
        siteNetworks?.where ?? '',
        `"${text}" is neither a network such as 10.1.0.0/16 nor an address`,
      )
  if (siteNetworks !== undefined && !assertOffline)
    problems.add(siteNetworks.where, 'it says something to --assert-offline only, which is not given')
  return {
    offline: assertOffline || (inputs.bool('offline', edge('package.offline'))?.value ?? false),
    assertOffline,
    siteNetworks: siteNetworks?.value ?? [],
    mirrors: mirrors?.value ?? [],
    registryMirrors: registryMirrors(resolution),
    registryAuthFile: inputs.text('registry-auth-file', edge('package.registryAuthFile'))?.value,
    allowUnpinned: inputs.bool('allow-unpinned', edge('package.allowUnpinned'))?.value ?? false,
    recipes: inputs.list('recipe', edge('package.recipes'))?.value,
    imageRepository: inputs.text('image-repository', edge('package.imageRepository'))?.value,
  }
}

function registryMirrors({ inputs, problems }: Resolution): Record<string, readonly string[]> {
  const mirrors: Record<string, readonly string[]> = {}
  const add = (registry: string, urls: readonly string[], where: string) => {
    const problem = urls.map(urlProblem).find((each) => each !== undefined)
    if (problem !== undefined) problems.add(where, problem)
    mirrors[registry] = [...(mirrors[registry] ?? []), ...urls]
  }
  const given = inputs.list('registry-mirror')
  for (const text of given?.value ?? []) {
    const [, registry, urls] = /^([^=/]+)=(.+)$/.exec(text) ?? []
    if (registry === undefined || urls === undefined)
      problems.add('--registry-mirror', `"${text}" is not of the form REGISTRY=URL`)
    else add(registry, urls.split(','), '--registry-mirror')
  }
  if (given !== undefined) return mirrors
  const inFile = inputs.object(edge('package.registryMirrors'))
  for (const [registry, urls] of Object.entries(inFile?.value ?? {})) {
    const where = `${inFile?.where}.${registry}`
    if (Array.isArray(urls) && urls.every((url) => typeof url === 'string')) add(registry, urls, where)
    else problems.add(where, 'expected a list of URLs')
  }
  return mirrors
}

function urlProblem(text: string): string | undefined {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return undefined
  return `"${text}" is not an http or https URL`
}
