import type { Look } from '../../host/host.ts'
import { readBaseline } from '../../network/baseline.ts'
import { leftoverLinks, links } from '../../network/links.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { virtualAddress } from '../load-balancer/hand-over.ts'
import { lookAtWay, sshSession } from './ssh-session.ts'

/**
 * A reset takes the Pod network and a virtual address away for good. Who called it over one of them is told before anything is
 * changed.
 * @param directory of the ledger
 * @throws EdgeadmError class `preflight`
 */
export async function refuseOwnWay(host: Look, directory: string): Promise<void> {
  const session = await sshSession(host)
  const before = session === undefined ? undefined : await readBaseline(directory)
  if (session === undefined || before === undefined) return
  const { addressOn, routeOver } = await lookAtWay(host, session)
  const gone = new Set(leftoverLinks(await links(host), before.links).map(({ name }) => name))
  const over = [routeOver, addressOn].find((name) => name !== undefined && gone.has(name))
  const isVirtual = (await virtualAddress(host)) === session.server
  if (over === undefined && !isVirtual) return
  const way = isVirtual ? `the virtual address ${session.server}` : `the interface ${over} of the Pod network`
  throw new EdgeadmError('preflight', `you are connected over ${way}, which reset takes away`, {
    fix: "connect to the machine's own address, or run it from its console",
  })
}
