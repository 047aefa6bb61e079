/** What etcd says of its members, over its JSON gateway (etcd documentation, "grpc-gateway"): no etcdctl is needed on a master. */

import { ask as askServer } from '../network/request.ts'

export interface EtcdCredentials {
  readonly ca: string
  readonly cert: string
  /** Secret. */
  readonly key: string
}

export interface EtcdMember {
  /** A number of 64 bits, in decimal. */
  readonly id: string
  /** Empty for a member that was added and has not started yet. */
  readonly name: string
  readonly clientUrl: string | undefined
  /** Where the other members find it; the only thing known of one that has not started. */
  readonly peerUrls: readonly string[]
  readonly isLearner: boolean
}

export interface MemberHealth {
  readonly member: EtcdMember
  /** Why it is not healthy; undefined: it is. */
  readonly problem: string | undefined
}

/** Milliseconds for one answer of a member. */
const LIMIT = 3000

/** As this member knows them, also without a quorum. @throws Error if it does not answer */
export async function listMembers(endpoint: string, credentials: EtcdCredentials): Promise<EtcdMember[]> {
  const url = `${endpoint}/v3/cluster/member/list`
  const body = JSON.parse(await ask(url, credentials, { linearizable: false })) as {
    members?: { ID: string; name?: string; clientURLs?: string[]; peerURLs?: string[]; isLearner?: boolean }[]
  }
  return (body.members ?? []).map(({ ID, name = '', clientURLs = [], peerURLs = [], isLearner = false }) => ({
    id: ID,
    name,
    clientUrl: clientURLs[0],
    peerUrls: peerURLs,
    isLearner,
  }))
}

/** Takes a member out of the cluster; its votes are not counted any more. @throws Error if there is no quorum to decide it */
export async function removeMember(
  endpoint: string,
  credentials: EtcdCredentials,
  { id }: EtcdMember,
): Promise<void> {
  await ask(`${endpoint}/v3/cluster/member/remove`, credentials, { ID: id })
}

/** Whether etcd holds the key. @throws Error if it does not answer */
export async function hasKey(endpoint: string, credentials: EtcdCredentials, key: string): Promise<boolean> {
  const question = { key: Buffer.from(key).toString('base64'), count_only: true }
  const body = await ask(`${endpoint}/v3/kv/range`, credentials, question)
  return Number((JSON.parse(body) as { count?: string }).count ?? 0) > 0
}

/** Whether the member answers and takes part in the cluster: its `/health` makes a read that needs the quorum. */
async function memberHealth(member: EtcdMember, credentials: EtcdCredentials): Promise<MemberHealth> {
  if (member.clientUrl === undefined) return { member, problem: 'it has not started yet' }
  try {
    const { health, reason } = JSON.parse(await ask(`${member.clientUrl}/health`, credentials)) as {
      health: string
      reason?: string
    }
    return { member, problem: health === 'true' ? undefined : reason || 'it says that it is not healthy' }
  } catch (error) {
    return { member, problem: error instanceof Error ? error.message : String(error) }
  }
}

/** The members by their health, all asked at once. */
export async function healthOf(
  members: readonly EtcdMember[],
  credentials: EtcdCredentials,
): Promise<{ healthy: readonly EtcdMember[]; unhealthy: readonly MemberHealth[] }> {
  const all = await Promise.all(members.map((member) => memberHealth(member, credentials)))
  return {
    healthy: all.filter(({ problem }) => problem === undefined).map(({ member }) => member),
    unhealthy: all.filter(({ problem }) => problem !== undefined),
  }
}

/** How an unhealthy member is told of. */
export const describeHealth = ({ member, problem }: MemberHealth) => `${nameOf(member)}: ${problem}`

/** A member that has not started has no name. */
export const nameOf = ({ name, clientUrl, peerUrls }: EtcdMember) =>
  name || clientUrl || peerUrls[0] || 'a member without an address'

/** The number of voting members that must be healthy for etcd to work. */
export const quorumOf = (voters: number) => Math.floor(voters / 2) + 1

async function ask(url: string, { ca, cert, key }: EtcdCredentials, body?: object): Promise<string> {
  const answer = await askServer({
    url,
    caPem: ca,
    client: { cert, key },
    timeout: LIMIT,
    signal: AbortSignal.timeout(2 * LIMIT),
    ...(body === undefined ? {} : { method: 'POST' as const, body: Buffer.from(JSON.stringify(body)) }),
  })
  // An unhealthy member answers with 503 and says why.
  if (answer.status === 200 || answer.status === 503) return answer.body
  throw new Error(`HTTP ${answer.status}: ${answer.body.slice(0, 200)}`)
}
