import type { Look } from '../../host/host.ts'
import { STATE_DIRECTORY } from '../../host/ledger.ts'
import { parseLedger } from '../../host/ledger-text.ts'
import { ownsNode } from '../reset/node-owner.ts'

/**
 * How the node that stands in the way is taken away: `edgeadm reset` only touches a node that edgeadm's ledger says it
 * made; another program's node is that program's to remove.
 * @param others what removes it where edgeadm did not make it, as a clause
 */
export async function freeing(host: Look, others: string): Promise<string> {
  const ledger = (await host.readFile(`${STATE_DIRECTORY}/ledger.ndjson`)) ?? ''
  return ownsNode(parseLedger(ledger))
    ? '`edgeadm reset` makes it free again'
    : `edgeadm did not make it: ${others}`
}
