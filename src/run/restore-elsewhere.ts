import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { formatHostPort, parseHostPort } from '../config/names.ts'
import type { HostFacts } from '../config/types.ts'
import { ask, NoAnswer } from '../network/request.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { OpenBackup } from '../phases/restore/context.ts'
import { pkiIn } from '../phases/restore/pki.ts'
import { savedCluster } from './saved-documents.ts'

/** Milliseconds. */
const LIMIT = 5000
const API_PORT = 6443

/**
 * A cluster that comes back on another machine while it runs where it was is there twice, with the same keys: nodes would talk
 * to one or the other. Whoever answers with a certificate of the cluster's CA is the cluster.
 * @throws EdgeadmError class `preflight`
 */
export async function refuseRunningElsewhere(
  backup: OpenBackup,
  facts: HostFacts,
  force: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (force) return
  const caPem = await fs.readFile(join(backup.directory, pkiIn(backup), 'ca.crt'), 'utf8')
  const own = new Set(facts.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)))
  const { controlPlaneEndpoint } = await savedCluster(backup)
  const all = [
    formatHostPort(backup.index.address, API_PORT),
    ...(controlPlaneEndpoint === undefined ? [] : [controlPlaneEndpoint]),
  ]
  for (const endpoint of all) {
    const parsed = parseHostPort(endpoint)
    if (typeof parsed === 'string' || own.has(parsed.host)) continue
    const at = formatHostPort(parsed.host, parsed.port ?? API_PORT)
    if (!(await isReady(`https://${at}/readyz`, caPem, signal))) continue
    throw new EdgeadmError('preflight', `the cluster of this backup runs: its API server answers at ${at}`, {
      fix: 'another master joins a cluster that runs (`edgeadm token create --print-join-command --control-plane` there); if it is to go, `edgeadm reset --force` there first',
    })
  }
}

/** An API server without its etcd answers, and is not ready. One that lets nobody in without credentials is not asked more. */
async function isReady(url: string, caPem: string, signal: AbortSignal): Promise<boolean> {
  try {
    const { status } = await ask({ url, caPem, timeout: LIMIT, signal })
    return status === 200 || status === 401 || status === 403
  } catch (error) {
    if (error instanceof NoAnswer) return false
    throw error
  }
}
