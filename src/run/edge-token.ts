/**
 * `edgeadm token create --edge`: KubeEdge's own kind of token, short-lived, with what a join without the API server needs.
 * In a cluster of SuperEdge's: a bootstrap token, and the line for its nodes.
 */

import { parseDuration } from '../config/duration.ts'
import type { Look } from '../host/host.ts'
import { FACTS_CONFIG_MAP, FACTS_KEY, NAMESPACE, parseClusterFacts } from '../kubeedge/cluster-facts.ts'
import { encodeTicket } from '../kubeedge/edge-ticket.ts'
import { makeJoinToken } from '../kubeedge/join-token.ts'
import { kubectlGet } from '../kubernetes/kubectl.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { ADMIN_CONF } from '../phases/context.ts'
import * as superEdge from '../superedge/cluster-facts.ts'
import { readOnlyHost } from './prerequisites.ts'
import { createToken, refuse, type TokenCreateFlags } from './token.ts'

/** Milliseconds. Nobody can take such a token back, so it does not live long. */
const DEFAULT_TTL = 15 * 60_000
const LONGEST_TTL = 24 * 3_600_000

const OF_BOOTSTRAP_TOKENS = [
  'groups',
  'usages',
  'description',
  'dry-run',
  'config',
  'control-plane',
  'certificate-key',
] as const

/** @throws EdgeadmError class `usage`, or `preflight` where there are no credentials or no cloud side */
export async function createEdgeToken(
  given: string | undefined,
  flags: TokenCreateFlags,
  reporting: Reporting,
): Promise<string> {
  if (given !== undefined) throw new EdgeadmError('usage', '--edge makes its own token, and takes none')
  refuse(
    OF_BOOTSTRAP_TOKENS.filter((name) => flags[name] !== undefined && flags[name] !== false).map(
      (name) => `--${name}`,
    ),
    "is for bootstrap tokens: CloudCore's token has a ttl and nothing else",
  )
  const ttl = flags.ttl === undefined ? DEFAULT_TTL : parseDuration(flags.ttl)
  if (ttl === undefined || ttl <= 0 || ttl > LONGEST_TTL)
    throw new EdgeadmError('usage', `--ttl ${flags.ttl} is no duration between 1s and 24h`)
  const host = readOnlyHost(reporting)
  const kubeconfig = flags.kubeconfig ?? ADMIN_CONF
  if ((await host.stat(kubeconfig)) === undefined)
    throw new EdgeadmError('preflight', `there is no ${kubeconfig} on this machine`, {
      fix: 'run it on a master, or name credentials with --kubeconfig',
    })
  const get = <T>(kind: string, name: string) =>
    kubectlGet<T>(host, [kind, name], { kubeconfig, namespace: NAMESPACE })
  const secret = await get<{ data?: { cadata?: string; cakeydata?: string } }>('secret', 'casecret')
  const map = await get<{ data?: Record<string, string> }>('configmap', FACTS_CONFIG_MAP)
  const facts = parseClusterFacts(map?.data?.[FACTS_KEY])
  const { cadata, cakeydata } = secret?.data ?? {}
  if (cadata === undefined || cakeydata === undefined || facts === undefined) {
    if (await hasSuperEdge(host, kubeconfig)) return createSuperEdgeToken(flags, reporting)
    throw new EdgeadmError('preflight', 'this cluster has no cloud side for edge nodes', {
      fix: 'run `edgeadm init` with a package that has the edge parts',
    })
  }
  const ca = { certificateDer: Buffer.from(cadata, 'base64'), keyDer: Buffer.from(cakeydata, 'base64') }
  const ticket = encodeTicket({ token: makeJoinToken(ca, ttl), facts })
  return flags['print-join-command'] ? `edgeadm join --edge-token ${ticket}` : ticket
}

async function hasSuperEdge(host: Look, kubeconfig: string): Promise<boolean> {
  const options = { kubeconfig, namespace: superEdge.FACTS_NAMESPACE }
  return (await kubectlGet(host, ['configmap', superEdge.FACTS_CONFIG_MAP], options)) !== undefined
}

/** SuperEdge's nodes join by an ordinary bootstrap token; only their line is another. */
async function createSuperEdgeToken(flags: TokenCreateFlags, reporting: Reporting): Promise<string> {
  const printed = await createToken(undefined, flags, reporting)
  return flags['print-join-command'] ? `${printed} --edge-runtime=superedge` : printed
}
