/** `edgeadm check security`: what each position can do on the cluster that runs, not on one that was planned. */

import { hostname } from 'node:os'
import type { Look } from '../host/host.ts'
import { FACTS_CONFIG_MAP, FACTS_KEY, NAMESPACE, parseClusterFacts } from '../kubeedge/cluster-facts.ts'
import { METASERVER_LABEL } from '../kubeedge/mesh.ts'
import { kubectlGet } from '../kubernetes/kubectl.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { ADMIN_CONF } from '../phases/context.ts'
import { readOnlyHost } from './prerequisites.ts'
import { type Finding, findingsText } from './security/finding.ts'
import { EDGE, type Objects, objectFindings } from './security/objects.ts'
import { portFindings } from './security/ports.ts'
import { type Account, rightsFindings } from './security/rights.ts'

interface List<T> {
  readonly items: readonly T[]
}

interface Token {
  readonly metadata: { readonly name: string }
  readonly type?: string
  readonly data?: Readonly<Record<string, string>>
}

/** @throws EdgeadmError class `preflight` without credentials or a cloud side, or if something is open; `phase` without an API server */
export async function checkSecurity(kubeconfig: string | undefined, reporting: Reporting): Promise<void> {
  const host = readOnlyHost(reporting)
  const path = kubeconfig ?? ADMIN_CONF
  if ((await host.stat(path)) === undefined)
    throw new EdgeadmError('preflight', `there is no ${path} on this machine`, {
      fix: 'run it on a master, or name credentials with --kubeconfig',
    })
  const map = await kubectlGet<{ data?: Record<string, string> }>(
    host,
    ['configmap', FACTS_CONFIG_MAP, '-n', NAMESPACE],
    { kubeconfig: path },
  )
  const facts = parseClusterFacts(map?.data?.[FACTS_KEY])
  if (facts === undefined)
    throw new EdgeadmError('preflight', 'this cluster has no cloud side for edge nodes', {
      fix: 'run `edgeadm init` with a package that has the edge parts',
    })
  const objects = await read(host, path)
  const edges = objects.nodes.filter(({ metadata }) => metadata.labels?.[EDGE] !== undefined)
  const names = edges.map(({ metadata }) => metadata.name)
  const plain = edges.filter(({ metadata }) => metadata.labels?.[METASERVER_LABEL] === 'plain')
  const findings: Finding[] = [
    ...(await objectFindings(objects)),
    ...(await rightsFindings(host, path, {
      edges: names,
      plain: plain.map(({ metadata }) => metadata.name),
      accounts: accountsOn(objects, names),
    })),
    ...(await portFindings(host, {
      address: facts.cloudAddresses[0],
      isMaster: isMaster(objects),
      signal: reporting.signal,
    })),
  ].sort((a, b) => a.position.localeCompare(b.position))
  reporting.emit({ type: 'result', text: findingsText(findings), data: { findings } })
  const open = findings.filter(({ state }) => state === 'open')
  if (open.length === 0) return
  throw new EdgeadmError('preflight', `${open.length} of ${findings.length} are open`, {
    details: open.map(({ what, detail }) => `not so: ${what} (${detail})`),
  })
}

async function read(host: Look, kubeconfig: string): Promise<Objects> {
  const get = async <T>(...args: string[]): Promise<readonly T[]> =>
    (await kubectlGet<List<T>>(host, args, { kubeconfig }))?.items ?? []
  const [nodes, bindings, policies, workloads, tokens, pods, map] = await Promise.all([
    get<Objects['nodes'][number]>('nodes'),
    get<Objects['bindings'][number]>('validatingadmissionpolicybindings'),
    get<Objects['policies'][number]>('validatingadmissionpolicies'),
    get<NonNullable<Objects['cloudCore']>>(
      'deployments,daemonsets',
      '-n',
      NAMESPACE,
      '-l',
      'kubeedge=cloudcore',
    ),
    get<Token>('secrets', '-n', 'kube-system', '--field-selector=type=bootstrap.kubernetes.io/token'),
    get<Objects['pods'][number]>('pods', '-A'),
    kubectlGet<{ data?: Record<string, string> }>(host, ['configmap', 'cloudcore', '-n', NAMESPACE], {
      kubeconfig,
    }),
  ])
  return {
    nodes,
    bindings,
    policies,
    pods,
    cloudCore: workloads[0],
    configuration: map?.data?.['cloudcore.yaml'],
    tokens: tokens.map(({ metadata, data }) => ({
      id: metadata.name.replace(/^bootstrap-token-/, ''),
      expires: data?.expiration,
    })),
  }
}

/** Of the Pods on edge nodes, each once. */
function accountsOn({ pods }: Objects, edges: readonly string[]): Account[] {
  const found = new Map<string, Account>()
  for (const { metadata, spec } of pods) {
    const node = spec.nodeName ?? ''
    const name = spec.serviceAccountName ?? 'default'
    if (edges.includes(node))
      found.set(`${metadata.namespace}/${name}`, { namespace: metadata.namespace, name, node })
  }
  return [...found.values()]
}

function isMaster({ nodes }: Objects): boolean {
  const own = nodes.find(({ metadata }) => metadata.labels?.['kubernetes.io/hostname'] === hostname())
  return own?.metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined
}
