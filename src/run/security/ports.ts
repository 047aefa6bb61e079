/** What can be reached: CloudCore's ports, asked from this machine, and the rules of its own firewall. */

import { isIPv6 } from 'node:net'
import type { Look } from '../../host/host.ts'
import { PORTS, STREAM_PORT } from '../../kubeedge/cluster-facts.ts'
import { parseIptables } from '../../network/iptables.ts'
import { ask } from '../../network/request.ts'
import { messageOf } from '../../output/errors.ts'
import { type Finding, judged } from './finding.ts'

const SAVES = ['iptables-nft-save', 'iptables-legacy-save', 'iptables-save'] as const

/** @param address one of CloudCore's */
export async function portFindings(
  host: Look,
  { address, isMaster, signal }: { address: string | undefined; isMaster: boolean; signal: AbortSignal },
): Promise<Finding[]> {
  return [
    ...(address === undefined ? [] : [await withoutCertificate(address, signal)]),
    await guard(host, isMaster),
  ]
}

/** With the additions, who has no certificate is refused here; the publisher's CloudCore has no such path. */
async function withoutCertificate(address: string, signal: AbortSignal): Promise<Finding> {
  const position = 'anybody on the network' as const
  const what = "CloudCore's way to the API server is closed without the certificate of an edge node"
  const where = `${isIPv6(address) ? `[${address}]` : address}:${PORTS.https}`
  try {
    const { status } = await ask({ url: `https://${where}/edgeadm/api/version`, caPem: undefined, signal })
    if (status === 401) return { position, what, state: 'closed', detail: '' }
    return judged(
      position,
      what,
      [`${where} answers HTTP ${status}`],
      "the CloudCore that runs is not edgeadm's: look at its image",
    )
  } catch (error) {
    if (signal.aborted) throw error
    return { position, what, state: 'unknown', detail: messageOf(error) }
  }
}

/** Port 10003 runs commands in Pods on the edge for whoever reaches it. */
async function guard(host: Look, isMaster: boolean): Promise<Finding> {
  const position = 'anybody on the network' as const
  const what = `CloudCore's port ${STREAM_PORT}, behind which are commands in Pods on the edge, is closed to all but masters`
  if (!isMaster || process.getuid?.() !== 0)
    return { position, what, state: 'unknown', detail: 'only root on a master can look at its rules' }
  for (const save of SAVES) {
    const { exitCode, stdout } = await host.probe(save, ['-t', 'filter'])
    if (exitCode === 0 && isGuarded(stdout))
      return { position, what, state: 'closed', detail: 'on this master' }
  }
  return {
    position,
    what,
    state: 'open',
    detail: 'no rule of this master drops what comes in to it',
    fix: 'start the guard afresh: kubectl -n kubeedge rollout restart daemonset/cloud-iptables-manager',
  }
}

/** Whether packets to the port are dropped on their way in, by a rule or at the end of a chain. @param rules iptables-save */
export function isGuarded(rules: string): boolean {
  const chains = parseIptables(rules, 'ip').flatMap(({ name, chains }) => (name === 'filter' ? chains : []))
  const input = chains.find(({ name }) => name === 'INPUT')
  const aboutPort = (input?.rules ?? []).filter(({ id }) =>
    new RegExp(`--dports? (\\S+,)?${STREAM_PORT}(,|\\s|$)`).test(id),
  )
  const drops = (target: string | undefined) => target === 'DROP' || target === 'REJECT'
  return aboutPort.some(({ targets: [target] }) => {
    const last = chains.find(({ name }) => name === target)?.rules.at(-1)
    return drops(target) || (last !== undefined && drops(last.targets[0]))
  })
}
