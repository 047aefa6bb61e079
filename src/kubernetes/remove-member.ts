/** Takes a member out of the etcd on the masters, and looks whether it is out. */

import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import {
  describeHealth,
  type EtcdMember,
  healthOf,
  listMembers,
  nameOf,
  quorumOf,
  removeMember,
} from './etcd.ts'
import { type StackedEtcd, votersOf } from './etcd-members.ts'

/** Milliseconds. After a leader is gone, the others elect one within two seconds. */
const LIMIT = 20_000

/**
 * The members that can take it out.
 * @throws EdgeadmError class `preflight` if they could not decide it
 */
export async function deciders(
  { members, credentials }: StackedEtcd,
  leaving: EtcdMember,
): Promise<readonly EtcdMember[]> {
  const voters = votersOf(members)
  const { healthy, unhealthy } = await healthOf(
    voters.filter(({ id }) => id !== leaving.id),
    credentials,
  )
  // The vote on it is one of all voting members, the leaving one among them; one that runs votes on itself, too.
  const itself = leaving.isLearner ? [] : (await healthOf([leaving], credentials)).healthy
  const votes = healthy.length + itself.length
  if (healthy.length > 0 && votes >= quorumOf(voters.length)) return healthy
  throw new EdgeadmError(
    'preflight',
    `etcd cannot take out the member ${nameOf(leaving)}: ${votes} of its ${voters.length} voting members are healthy, and ${quorumOf(voters.length)} are needed`,
    { details: unhealthy.map(describeHealth), fix: 'bring a master back first' },
  )
}

/**
 * Repeats until the other members no longer list it. A member that is out already is no failure.
 * @param through members that stay
 * @throws EdgeadmError class `phase` if they still list it after 20 s
 */
export async function takeOut(
  through: readonly EtcdMember[],
  { credentials }: StackedEtcd,
  leaving: EtcdMember,
  signal: AbortSignal,
): Promise<void> {
  const end = Date.now() + LIMIT
  let why = 'no other member has an address'
  for (;;) {
    for (const { clientUrl } of through) {
      if (clientUrl === undefined) continue
      try {
        if (!(await isListed(clientUrl))) return
        await removeMember(clientUrl, credentials, leaving)
        if (!(await isListed(clientUrl))) return
        why = 'it is still on the list of members'
      } catch (error) {
        why = messageOf(error)
      }
    }
    if (Date.now() > end)
      throw new EdgeadmError('phase', `etcd does not take out the member ${nameOf(leaving)}: ${why}`, {
        fix: 'mend what keeps it, and run the same command again',
      })
    await delay(500, undefined, { signal })
  }

  async function isListed(url: string): Promise<boolean> {
    return (await listMembers(url, credentials)).some(({ id }) => id === leaving.id)
  }
}
