/** Takes the etcd member of a master that is lost out of the cluster, from another master. */

import type { Look } from '../host/host.ts'
import { EdgeadmError } from '../output/errors.ts'
import { healthOf } from './etcd.ts'
import { memberOf, stackedEtcd } from './etcd-members.ts'
import { deciders, takeOut } from './remove-member.ts'

export interface LostMember {
  /** Takes it out. One that is out already is no failure. @throws EdgeadmError class `phase` */
  readonly remove: (signal: AbortSignal) => Promise<void>
}

/**
 * Looks whether it can be taken out; changes nothing yet. The Node is not needed: a member has the name of its node, and one
 * that never started has at least an address.
 * @param node a node's name, or the address of a member
 * @returns undefined if etcd has no such member, or does not run on the masters
 * @throws EdgeadmError class `preflight` if the member runs, or the others could not decide it
 */
export async function findLostMember(
  host: Look,
  node: string,
  addresses: readonly string[],
): Promise<LostMember | undefined> {
  const etcd = await stackedEtcd(host)
  const lost = etcd && memberOf(etcd.members, node, [...addresses, node])
  if (etcd === undefined || lost === undefined) return undefined
  if ((await healthOf([lost], etcd.credentials)).healthy.length > 0)
    throw new EdgeadmError('preflight', `the etcd of ${node} runs and takes part in the cluster`, {
      fix: `run \`edgeadm reset\` on ${node} itself; from here only a master that is lost can be taken out`,
    })
  const others = await deciders(etcd, lost)
  return { remove: (signal) => takeOut(others, etcd, lost, signal) }
}
