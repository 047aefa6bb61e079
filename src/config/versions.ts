import type { VersionFacts } from './types.ts'

/** Taken when neither a flag, nor a file, nor a package says anything, as in a dry run without a package. */
export const DEFAULT_KUBERNETES_VERSION = 'v1.33.13'

const SEMANTIC = /^v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/
const LABEL = /^(?:stable|latest)(?:-(\d+)(?:\.(\d+))?)?$/

export interface KubernetesVersion {
  readonly major: number
  readonly minor: number
  readonly patch: number
  readonly preRelease: string
}

export function parseVersion(text: string): KubernetesVersion | undefined {
  const match = SEMANTIC.exec(text)
  if (!match) return undefined
  return {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3]),
    preRelease: match[4] ?? '',
  }
}

export function compareVersions(one: string, other: string): number {
  const [a, b] = [parseVersion(one), parseVersion(other)]
  if (!a || !b) return one.localeCompare(other)
  return (
    a.major - b.major ||
    a.minor - b.minor ||
    a.patch - b.patch ||
    Number(a.preRelease === '') - Number(b.preRelease === '') ||
    a.preRelease.localeCompare(b.preRelease, 'en', { numeric: true })
  )
}

/**
 * What a version or one of kubeadm's labels (`stable-1`, `stable-1.33`, `latest`) stands for among those at hand.
 * kubeadm would ask the network for a label; edgeadm asks only the package.
 */
export function resolveVersion(
  wanted: string | undefined,
  facts: VersionFacts,
): { version: string } | { problem: string; class: 'usage' | 'package' } {
  const known = facts.kubernetesVersions.toSorted(compareVersions)
  const has = known.length > 0 ? `has ${known.join(', ')}` : 'has no Kubernetes version'
  if (wanted === undefined) return { version: known.at(-1) ?? DEFAULT_KUBERNETES_VERSION }
  const label = LABEL.exec(wanted)
  if (label) {
    const [, major, minor] = label
    const fits = known.filter((version) => {
      const parsed = parseVersion(version)
      return (
        (major === undefined || parsed?.major === Number(major)) &&
        (minor === undefined || parsed?.minor === Number(minor))
      )
    })
    const version = fits.at(-1)
    if (version) return { version }
    if (known.length === 0 && minor === undefined) return { version: DEFAULT_KUBERNETES_VERSION }
    return { problem: `nothing for "${wanted}" is at hand: ${facts.source} ${has}`, class: 'package' }
  }
  if (!parseVersion(wanted))
    return {
      problem: `"${wanted}" is not a Kubernetes version; one looks like v1.33.13 or stable-1.33`,
      class: 'usage',
    }
  const version = wanted.startsWith('v') ? wanted : `v${wanted}`
  if (known.length > 0 && !known.includes(version))
    return { problem: `Kubernetes ${version} is not at hand: ${facts.source} ${has}`, class: 'package' }
  return { version }
}

/** True from Kubernetes 1.`minor` on. */
export function isAtLeast(version: string, minor: number): boolean {
  const parsed = parseVersion(version)
  return parsed !== undefined && (parsed.major > 1 || parsed.minor >= minor)
}
