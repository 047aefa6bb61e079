/** Takes the etcd member of a master that is lost out of the cluster, from another master. */

import type { Host } from '../host/host.ts'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import { describeHealth, healthOf, quorumOf, removeMember } from './etcd.ts'
import { etcdMembers } from './etcd-members.ts'

const PKI = '/etc/kubernetes/pki'

export interface LostMember {
  /** Takes it out. Done already is no failure. @throws EdgeadmError class `phase` */
  readonly remove: () => Promise<void>
}

/**
 * Looks whether it can be taken out; changes nothing yet.
 * @returns undefined if etcd has no such member, or does not run on the masters
 * @throws EdgeadmError class `preflight` if the others could not decide it, or anything after it
 */
export async function findLostMember(host: Host, node: string): Promise<LostMember | undefined> {
  const { voters, credentials } = await etcdMembers(host, PKI)
  const lost = voters.find(({ name }) => name === node)
  if (lost === undefined || credentials === undefined) return undefined
  const others = voters.filter((member) => member !== lost)
  const { healthy, unhealthy } = await healthOf(others, credentials)
  const endpoint = healthy[0]?.clientUrl
  // The vote on it is one of all members, the lost one among them.
  if (endpoint === undefined || healthy.length < quorumOf(voters.length))
    throw new EdgeadmError(
      'preflight',
      `etcd cannot take out the member of ${node}: ${healthy.length} of its ${voters.length} members are healthy, and ${quorumOf(voters.length)} are needed`,
      {
        details: unhealthy.map(describeHealth),
        fix: 'bring a master back first',
      },
    )
  const remove = async () => {
    try {
      await removeMember(endpoint, credentials, lost)
    } catch (error) {
      throw new EdgeadmError('phase', `etcd does not take out the member of ${node}: ${messageOf(error)}`, {
        fix: 'run the same command again',
        cause: error,
      })
    }
  }
  return { remove }
}
