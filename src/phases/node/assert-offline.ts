/** `--assert-offline`: a run in which something asked for an address outside of the cluster's networks fails, and says what. */

import { parse } from 'yaml'
import { clusterAddresses } from '../../config/cluster-addresses.ts'
import { kubectlGet } from '../../kubernetes/kubectl.ts'
import { familyOf } from '../../network/outside-attempts.ts'
import { whyUnseen } from '../../network/outside-traffic.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { attachedNetworks } from '../../package/index.ts'
import { ADMIN_CONF, isControlPlane, isEdge, KUBELET_CONF, type NodeContext } from '../context.ts'
import type { Problem } from '../problem.ts'
import type { Phase } from '../workflow.ts'

const ONLY = 'only with --assert-offline'

const isWanted = ({ settings, outside }: NodeContext): boolean =>
  settings.package.downloads.assertOffline && outside !== undefined

export async function checkOffline(ctx: NodeContext): Promise<Problem[]> {
  if (!isWanted(ctx)) return []
  const why = await whyUnseen(ctx.host, familyOf(ctx.settings.node.address))
  return why === undefined ? [] : [{ check: 'AssertOffline', severity: 'error', text: sentence(why) }]
}

const sentence = (why: string): string => `--assert-offline cannot see here who reaches for outside: ${why}`

export const watchOffline: Phase<NodeContext> = {
  name: 'node/watch-offline',
  title: 'Note packets to outside of the cluster',
  runIf: (ctx) => (isWanted(ctx) ? true : ONLY),
  run: async (ctx) => {
    const why = await whyUnseen(ctx.host, familyOf(ctx.settings.node.address))
    if (why !== undefined) throw new EdgeadmError('preflight', sentence(why))
    await ctx.outside?.start(ctx.host, await insideNetworks(ctx), ctx.settings.dryRun)
  },
}

export const assertOffline: Phase<NodeContext> = {
  name: 'assert-offline',
  title: 'See whether something reached for outside of the cluster',
  runIf: (ctx) => {
    if (!isWanted(ctx)) return ONLY
    return ctx.settings.dryRun ? 'nothing was changed' : true
  },
  run: async (ctx) => {
    const inside = [...(await insideNetworks(ctx)), ...(await clusterNetworks(ctx))]
    const lines = (await ctx.outside?.finish(ctx.host, inside)) ?? []
    if (lines.length === 0) return
    throw new EdgeadmError(
      'phase',
      `${ctx.settings.node.name} is set up, but programs on it tried to reach addresses outside of the cluster's networks`,
      {
        details: lines,
        fix: 'stop what should not do that, or name networks of yours with --site-network; `edgeadm reset` and the same command try it again from the beginning',
      },
    )
  },
}

/** What is known of the cluster without asking it; names with the addresses that this machine finds for them. */
async function insideNetworks({ host, settings }: NodeContext): Promise<string[]> {
  const known = [
    ...settings.package.downloads.siteNetworks,
    ...attachedNetworks(),
    settings.node.address,
    ...settings.edge.cloudAddresses,
    ...clusterAddresses(settings),
  ]
  const names = known.filter((one) => !/^[\d.]+(\/|$)|:|^\./.test(one) && one !== 'localhost')
  const found: string[] = []
  for (const name of names) {
    const { stdout } = await host.probe('getent', ['ahosts', name])
    found.push(...stdout.split('\n').flatMap((line) => line.split(/\s/)[0] || []))
  }
  return [...known, ...found]
}

/** The networks of Pods and Services as the cluster has them on record. Nodes may read that; an edge node's programs use neither. */
async function clusterNetworks({ host, settings }: NodeContext): Promise<string[]> {
  if (settings.command === 'init' || isEdge(settings)) return []
  const kubeconfig = isControlPlane(settings) ? ADMIN_CONF : KUBELET_CONF
  const map = await kubectlGet<{ data?: Record<string, string> }>(
    host,
    ['configmap', '-n', 'kube-system', 'kubeadm-config'],
    { kubeconfig },
  )
  const { networking } = (parse(map?.data?.ClusterConfiguration ?? '') ?? {}) as {
    networking?: { podSubnet?: string; serviceSubnet?: string }
  }
  return [networking?.podSubnet, networking?.serviceSubnet].flatMap((text) => text?.split(',') ?? [])
}
