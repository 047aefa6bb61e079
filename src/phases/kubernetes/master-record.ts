import { isIPv4 } from 'node:net'
import { type Master, recordMaster } from '../../kubernetes/masters.ts'
import { isControlPlane, type NodeContext } from '../context.ts'
import { advertiseAddress } from '../load-balancer/checks.ts'
import { apiServer } from '../load-balancer/cluster-endpoint.ts'
import type { Phase } from '../workflow.ts'

/** What this master says of itself. */
export function ownRecord(ctx: NodeContext): Master {
  const { settings } = ctx
  return {
    node: settings.node.name,
    address: settings.node.address,
    apiServer: apiServer(ctx),
    relayAddresses: relayAddresses(ctx),
  }
}

/** EdgeMesh dials IPv4 only. The first master is also where --cloud-address says, unless that address is a balancer's. */
function relayAddresses(ctx: NodeContext): string[] {
  const { settings } = ctx
  const isAlone =
    settings.command === 'init' && settings.ha.mode === 'none' && settings.controlPlaneEndpoint === undefined
  const all = [settings.node.address, advertiseAddress(ctx), ...(isAlone ? settings.edge.cloudAddresses : [])]
  return [...new Set(all)].filter((address) => isIPv4(address))
}

/** No `verify`: it costs nothing, and an address may have changed. */
export const masterRecord: Phase<NodeContext> = {
  name: 'master-record',
  title: 'Record this master in the cluster',
  runIf: ({ settings }) => {
    if (!isControlPlane(settings)) return 'only on masters'
    return settings.dryRun ? 'nothing was changed' : true
  },
  run: (ctx) => recordMaster(ctx.host, ownRecord(ctx)),
}
