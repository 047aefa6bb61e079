import type { Host } from '../host/host.ts'
import { DIRECTORY } from '../phases/load-balancer/files.ts'
import { type EtcdCredentials, type EtcdMember, listMembers } from './etcd.ts'

/** The cluster's voting members, from this master's etcd or, if that is down, another's. None: nobody can say. */
export async function etcdMembers(
  host: Host,
  certDir: string,
): Promise<{ voters: readonly EtcdMember[]; credentials: EtcdCredentials | undefined }> {
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'healthcheck-client.crt', 'healthcheck-client.key'].map((name) =>
      host.readFile(`${certDir}/etcd/${name}`),
    ),
  )
  if (ca === undefined || cert === undefined || key === undefined)
    return { voters: [], credentials: undefined }
  const credentials = { ca, cert, key }
  for (const address of ['127.0.0.1', ...(await otherMasters(host))]) {
    try {
      const members = await listMembers(`https://${address}:2379`, credentials)
      return { voters: members.filter(({ isLearner }) => !isLearner), credentials }
    } catch {
      // The next one may answer; if none does, there is no cluster that could be harmed.
    }
  }
  return { voters: [], credentials }
}

async function otherMasters(host: Host): Promise<string[]> {
  const servers = (await host.readFile(`${DIRECTORY}/servers.cfg`)) ?? ''
  return [...servers.matchAll(/^\s*server \S+ (\S+):\d+ /gm)].map(([, address = '']) => address)
}
