/** What a master knows beside the API: etcd's members, who holds the virtual address, certificates, backups, drift. */

import { findDrift } from '../host/drift.ts'
import type { Look } from '../host/host.ts'
import { Ledger } from '../host/ledger.ts'
import { LocalMachine } from '../host/local.ts'
import { healthOf, nameOf, quorumOf } from '../kubernetes/etcd.ts'
import { stackedEtcd } from '../kubernetes/etcd-members.ts'
import type { CertificateState } from '../kubernetes/expiry.ts'
import { servedCertificate } from '../network/served-certificate.ts'
import type { Reporting } from '../output/events.ts'
import { BACKUPS } from '../phases/backup/format.ts'
import { KEEPALIVED_CONF } from '../phases/load-balancer/files.ts'
import { newestBackup } from './backup.ts'
import { findCertificates } from './find-certificates.ts'

export interface EtcdStatus {
  readonly members: readonly {
    readonly name: string
    readonly problem: string | null
    readonly learner: boolean
  }[]
  /** How many voting members may be lost before etcd stops. */
  readonly spare: number
}

export interface MasterStatus {
  /** Undefined: etcd does not run on the masters. */
  readonly etcd: EtcdStatus | undefined
  /** Undefined: the cluster has no load balancer of edgeadm. `holder` null: nobody answers there. */
  readonly virtualAddress: { readonly address: string; readonly holder: string | null } | undefined
  readonly certificates: readonly CertificateState[]
  /** The newest in the default directory of this master. */
  readonly lastBackup: { readonly path: string; readonly time: string } | undefined
  /** Changes of edgeadm on this master that are different by now. */
  readonly drift: number
}

/** None of it is asked of the API server. */
export async function masterStatus(
  host: Look,
  nodes: readonly { readonly name: string; readonly address: string; readonly roles: readonly string[] }[],
  { signal }: Reporting,
): Promise<MasterStatus> {
  const masters = nodes.filter(({ roles }) => roles.includes('control-plane'))
  const [etcd, virtualAddress, { certificates }, lastBackup, drift] = await Promise.all([
    etcdStatus(host),
    holder(host, masters, signal),
    findCertificates(host, signal),
    newestBackup(BACKUPS),
    findDrift(new LocalMachine(signal), new Ledger()),
  ])
  return {
    etcd,
    virtualAddress,
    certificates,
    lastBackup,
    drift: drift.length,
  }
}

async function etcdStatus(host: Look): Promise<EtcdStatus | undefined> {
  const etcd = await stackedEtcd(host)
  if (etcd === undefined) return undefined
  const voters = etcd.members.filter(({ isLearner }) => !isLearner)
  const { healthy, unhealthy } = await healthOf(etcd.members, etcd.credentials)
  const healthyVoters = healthy.filter(({ isLearner }) => !isLearner).length
  const problemOf = new Map(unhealthy.map(({ member, problem }) => [member.id, problem]))
  return {
    members: etcd.members.map((member) => ({
      name: nameOf(member),
      problem: problemOf.get(member.id) ?? null,
      learner: member.isLearner,
    })),
    spare: healthyVoters - quorumOf(voters.length),
  }
}

/**
 * API servers listen on all addresses, so the holder's own one answers at the virtual address, on its own port: the master
 * that shows the same certificate is it.
 */
async function holder(
  host: Look,
  masters: readonly { readonly name: string; readonly address: string }[],
  signal: AbortSignal,
): Promise<MasterStatus['virtualAddress']> {
  const text = await host.readFile(KEEPALIVED_CONF)
  const address = /virtual_ipaddress \{\s*([^\s/]+)\//.exec(text ?? '')?.[1]
  if (address === undefined) return undefined
  const serialAt = async (where: string): Promise<string | undefined> => {
    try {
      return (await servedCertificate(where, 6443, signal)).serialNumber
    } catch {
      signal.throwIfAborted()
      return undefined // nobody there, which is the answer
    }
  }
  const shown = await serialAt(address)
  if (shown === undefined) return { address, holder: null }
  for (const { name, address: own } of masters)
    if ((await serialAt(own)) === shown) return { address, holder: name }
  return { address, holder: null }
}
