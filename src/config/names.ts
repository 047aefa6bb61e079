/** Kubernetes' rules for names, labels, taints and endpoints. Each check returns what is wrong, or undefined. */

import { isIP } from 'node:net'
import type { Taint, TaintEffect } from './edge-configuration.ts'

const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = new RegExp(`^${DNS_LABEL}(\\.${DNS_LABEL})*$`)
const QUALIFIED_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] satisfies TaintEffect[]

/** RFC 1123 subdomain: what node names and DNS domains have to be. */
export function subdomainProblem(name: string): string | undefined {
  if (name.length > 253) return `"${name.slice(0, 20)}…" has more than 253 characters`
  if (SUBDOMAIN.test(name)) return undefined
  return `"${name}" is not a lowercase RFC 1123 subdomain: lower case letters, digits, '-' and '.', beginning and ending with a letter or digit`
}

/** A node's name becomes the value of its label kubernetes.io/hostname, and the API server takes 63 characters there. */
export function nodeNameProblem(name: string): string | undefined {
  if (name === '') return 'the host name is empty; give one with --node-name'
  if (name.length > 63)
    return `"${name}" has ${name.length} characters, and a node's name may have 63; give a shorter one with --node-name`
  return subdomainProblem(name)
}

/** A DNS name or an IP address, without a port. */
export function hostProblem(host: string): string | undefined {
  if (isIP(host) !== 0) return undefined
  // Four numbers are meant as an address, though RFC 1123 would take them as a name.
  if (/^[\d.]+$/.test(host)) return `"${host}" is not a valid IP address`
  return subdomainProblem(host) && `"${host}" is neither an IP address nor a DNS name`
}

export interface HostPort {
  readonly host: string
  readonly port: number | undefined
}

/** `host`, `host:port`, `[ipv6]:port`, a bare IPv6 address. @returns the parts, or a sentence */
export function parseHostPort(text: string): HostPort | string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(text)
  const host = isIP(text) === 6 ? text : (match?.[1] ?? match?.[2])
  const port = isIP(text) === 6 ? undefined : match?.[3]
  if (host === undefined || host === '') return `"${text}" is not HOST:PORT`
  const problem = hostProblem(host)
  if (problem) return problem
  if (port === undefined) return { host, port: undefined }
  const number = parsePort(port)
  return number === undefined
    ? `"${text}": the port must be a number from 1 to 65535`
    : { host, port: number }
}

/** Of an endpoint that was checked before: "10.0.0.10:6443" -> "10.0.0.10", "[fd00::1]:6443" -> "fd00::1". */
export function hostOf(endpoint: string): string {
  const parsed = parseHostPort(endpoint)
  return typeof parsed === 'string' ? endpoint : parsed.host
}

export function formatHostPort(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

/** Kubernetes documentation, "Admission Control", NodeRestriction: what a kubelet may say of its own Node in Kubernetes' domains. */
const OWN_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'node-role.kubernetes.io/edge',
])

/** A node that asks for another label of Kubernetes' domains is refused by its kubelet, and an edge node does not get it. */
export function ownLabelProblem(key: string): string | undefined {
  const [domain = '', name] = key.split('/')
  if (name === undefined || OWN_LABELS.has(key) || !/(^|\.)(kubernetes|k8s)\.io$/.test(domain))
    return undefined
  if (/(^|\.)(kubelet|node)\.kubernetes\.io$/.test(domain)) return undefined
  return `a node may not give itself the label ${key}: give it with kubectl once the node has joined`
}

/** `key` of a label or taint: an optional DNS prefix and a name. */
export function labelKeyProblem(key: string): string | undefined {
  const parts = key.split('/')
  const name = parts.at(-1) as string
  if (parts.length > 2) return `"${key}" has more than one '/'`
  if (parts.length === 2 && subdomainProblem(parts[0] as string))
    return `"${key}" has a prefix that is no DNS name`
  if (name.length > 63 || !QUALIFIED_PART.test(name))
    return `"${key}" is not a label key: at most 63 letters, digits, '-', '_' and '.', after an optional DNS prefix and '/'`
  return undefined
}

export function labelValueProblem(value: string): string | undefined {
  if (value === '' || (value.length <= 63 && QUALIFIED_PART.test(value))) return undefined
  return `"${value}" is not a label value: at most 63 letters, digits, '-', '_' and '.'`
}

/** `key=value`. @returns the pair, or a sentence */
export function parseLabel(text: string): readonly [string, string] | string {
  const at = text.indexOf('=')
  if (at < 0) return `"${text}" is not KEY=VALUE`
  const key = text.slice(0, at)
  const value = text.slice(at + 1)
  return labelKeyProblem(key) ?? labelValueProblem(value) ?? [key, value]
}

/** `key=value:effect` or `key:effect`. @returns the taint, or a sentence */
export function parseTaint(text: string): Taint | string {
  const match = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(text)
  if (!match) return `"${text}" is not KEY=VALUE:EFFECT or KEY:EFFECT`
  const [, key, value, effect] = match as unknown as [string, string, string | undefined, string]
  return checkTaint({ key, effect, ...(value === undefined ? {} : { value }) })
}

export function checkTaint(taint: { key: string; value?: string; effect: string }): Taint | string {
  const problem = labelKeyProblem(taint.key) ?? labelValueProblem(taint.value ?? '')
  if (problem) return problem
  if (!EFFECTS.includes(taint.effect)) return `the effect "${taint.effect}" is none of ${EFFECTS.join(', ')}`
  return taint as Taint
}
