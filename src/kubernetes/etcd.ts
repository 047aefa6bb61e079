/** What etcd says of its members, over its JSON gateway (etcd documentation, "grpc-gateway"): no etcdctl is needed on a master. */

import { request } from 'node:https'

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
    members?: { ID: string; name?: string; clientURLs?: string[]; isLearner?: boolean }[]
  }
  return (body.members ?? []).map(({ ID, name = '', clientURLs = [], isLearner = false }) => ({
    id: ID,
    name,
    clientUrl: clientURLs[0],
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
export const describeHealth = ({ member, problem }: MemberHealth) =>
  `${member.name || member.clientUrl}: ${problem}`

/** The number of voting members that must be healthy for etcd to work. */
export const quorumOf = (voters: number) => Math.floor(voters / 2) + 1

function ask(url: string, credentials: EtcdCredentials, body?: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.timeout(LIMIT)
    const outgoing = request(
      url,
      { ...credentials, agent: false, signal: limit, method: body === undefined ? 'GET' : 'POST' },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          // An unhealthy member answers with 503 and says why.
          if (response.statusCode === 200 || response.statusCode === 503) resolve(text)
          else reject(new Error(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`))
        })
      },
    )
    outgoing.on('error', (error) =>
      reject(limit.aborted ? new Error(`no answer within ${LIMIT / 1000} s`) : error),
    )
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
