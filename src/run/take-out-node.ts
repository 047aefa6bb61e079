/** A node leaves the cluster from the outside: `reset --remove-node NODE` and `replace master NODE` do it alike. */

import { dryRunHosts } from '../host/dry-run.ts'
import type { Host, Look } from '../host/host.ts'
import { LocalMachine } from '../host/local.ts'
import { unrecordedHost } from '../host/unrecorded.ts'
import { refuseCertificates } from '../kubeedge/removed-nodes.ts'
import { findLostMember, type LostMember } from '../kubernetes/forget-member.ts'
import { forgetNode } from '../kubernetes/forget-node.ts'
import { kubectlGet } from '../kubernetes/kubectl.ts'
import { type Master, readMasters } from '../kubernetes/masters.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { addressesOf, forgetMaster } from '../phases/edge/forget-master.ts'

interface Node {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> }
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** What the cluster holds of a node. */
export interface KnownNode {
  readonly name: string
  readonly exists: boolean
  readonly isReady: boolean
  readonly isEdge: boolean
  /** By its Node's label or by the record of the masters. Its member of etcd may tell it, too. */
  readonly isMaster: boolean
  readonly onRecord: Master | undefined
}

/** @param node a name, or the address of a master */
export async function lookUpNode(host: Look, node: string, kubeconfig: string): Promise<KnownNode> {
  const found = await kubectlGet<Node>(host, ['node', node], { kubeconfig })
  const onRecord = (await readMasters(host, { kubeconfig })).find(
    (master) => master.node === node || master.address === node,
  )
  const labels = found?.metadata.labels ?? {}
  return {
    name: node,
    exists: found !== undefined,
    isReady:
      found?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
    isEdge: labels['node-role.kubernetes.io/edge'] !== undefined,
    isMaster: labels['node-role.kubernetes.io/control-plane'] !== undefined || onRecord !== undefined,
    onRecord,
  }
}

/** @throws EdgeadmError class `preflight` on a machine without credentials for the cluster */
export async function requireCredentials(host: Look, kubeconfig: string): Promise<void> {
  if ((await host.stat(kubeconfig)) !== undefined) return
  throw new EdgeadmError('preflight', `there is no ${kubeconfig} on this machine`, {
    fix: 'run it on a master, or name credentials with --kubeconfig',
  })
}

/** Its member of etcd. A master whose Node somebody deleted is known by it, or by its record. */
export async function lostMemberOf(
  host: Host,
  { name, exists }: KnownNode,
  kubeconfig: string,
): Promise<LostMember | undefined> {
  const addresses = exists ? await addressesOf(host, name, { kubeconfig }) : []
  return findLostMember(host, name, addresses)
}

/**
 * Its member of etcd, its certificates, its place among the masters, its Node. What is gone already is no failure, so it can
 * be repeated.
 * @returns whether there was anything
 */
export async function takeOutNode(
  host: Host,
  { name, isMaster, onRecord }: KnownNode,
  member: LostMember | undefined,
  {
    phase,
    kubeconfig,
    dryRun,
  }: { readonly phase: string; readonly kubeconfig: string; readonly dryRun: boolean },
  { emit, signal }: Reporting,
): Promise<boolean> {
  if (member !== undefined) {
    // First: as long as etcd counts it, one more loss could stop the cluster.
    emit({ type: 'change', phase, action: 'run', target: `take ${name} out of etcd` })
    if (!dryRun) await member.remove(signal)
  }
  await refuseCertificates(host, name, { kubeconfig })
  const wasMaster = isMaster || member !== undefined
  // Before the Node: a run that fails here finds it again, and with it what it was.
  if (wasMaster) await forgetMaster(host, onRecord?.node ?? name, { kubeconfig })
  return (await forgetNode(host, name, { kubeconfig })) || wasMaster
}

export function hostForNode(phase: string, dryRun: boolean, { emit, signal }: Reporting): Host {
  const machine = new LocalMachine(signal)
  return dryRun ? dryRunHosts(machine, emit)(phase) : unrecordedHost(machine, phase, emit)
}
