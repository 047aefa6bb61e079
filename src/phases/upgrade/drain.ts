/** Pods leave the node before its kubelet changes. By evictions, as kubectl's, but with the kubelet's own rights: it may evict. */

import { KUBECTL, kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { KUBEEDGE_LABEL } from '../edge/affinity.ts'
import type { Phase } from '../workflow.ts'
import { type PodObject, staysInDrain } from './cluster.ts'
import { kubeconfigOf, type UpgradeContext } from './context.ts'
import { changeState, readState } from './state.ts'

/** Milliseconds between two rounds of evictions. */
const INTERVAL = 2000

export const drain: Phase<UpgradeContext> = {
  name: 'upgrade/drain',
  title: 'Drain the node',
  runIf: async (ctx) => {
    if (ctx.settings.dryRun) return 'the cluster is asked then'
    if (!ctx.upgrade.drain) return '--drain=false'
    return (await isAlone(ctx)) ? 'there is no other node that its Pods could go to' : true
  },
  run: async (ctx) => {
    const { host, settings, upgrade, signal, emit } = ctx
    const { name } = settings.node
    const kubeconfig = kubeconfigOf(ctx)
    const node = await kubectlGet<{ spec: { unschedulable?: boolean } }>(host, ['node', name], { kubeconfig })
    if (node?.spec.unschedulable !== true) {
      // Before the change: a run that is killed in between must know that it was this one.
      await changeState(host, { hasCordoned: true })
      await schedulable(ctx, false)
    }
    // As kubectl: those that are here now. One that tolerates a cordoned node (CloudCore) comes back to it at once.
    const leaving = new Set(
      (await podsOn(ctx)).filter((pod) => !staysInDrain(pod)).map(({ metadata }) => metadata.uid),
    )
    let last = ''
    try {
      await awaitCondition(
        'Pods to leave the node',
        upgrade.drainTimeout,
        signal,
        async () => {
          const pods = (await podsOn(ctx)).filter(
            (pod) => leaving.has(pod.metadata.uid) && !staysInDrain(pod),
          )
          if (pods.length === 0) return true
          const refusals: string[] = []
          for (const { metadata } of pods) {
            const refusal = await evict(ctx, metadata.namespace, metadata.name)
            if (refusal !== undefined) refusals.push(`${metadata.namespace}/${metadata.name}: ${refusal}`)
          }
          const said = refusals.join('; ')
          if (said !== '' && said !== last) emit({ type: 'output', text: `[drain] waiting: ${said}` })
          last = said
          return (
            said ||
            `${pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ')} still here`
          )
        },
        INTERVAL,
      )
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', `${error.message}; ${name} stays cordoned`, {
        details: error.details,
        fix: 'let those Pods go (a PodDisruptionBudget may need more replicas elsewhere) and run the same command again, or give --drain=false',
      })
    }
  },
}

export const uncordon: Phase<UpgradeContext> = {
  name: 'upgrade/uncordon',
  title: 'Let Pods come to the node again',
  runIf: async ({ host, settings }) => {
    if (settings.dryRun) return 'the cluster is asked then'
    return (await readState(host))?.hasCordoned === true || 'this upgrade did not cordon it'
  },
  run: async (ctx) => {
    await schedulable(ctx, true)
    await changeState(ctx.host, { hasCordoned: false })
  },
}

async function schedulable(ctx: UpgradeContext, on: boolean): Promise<void> {
  const { name } = ctx.settings.node
  const patch = JSON.stringify({ spec: { unschedulable: on ? null : true } })
  await ctx.host.run(
    KUBECTL,
    ['--kubeconfig', kubeconfigOf(ctx), 'patch', 'node', name, '--type=merge', '-p', patch],
    { title: `${on ? 'uncordon' : 'cordon'} ${name}`, undo: null },
  )
}

/** A worker may not list nodes; it has a master beside it. */
async function isAlone({ host, settings }: UpgradeContext): Promise<boolean> {
  if (settings.role !== 'master') return false
  const others = await kubectlGet<{ items: { metadata: { name: string } }[] }>(host, [
    ...['nodes', '-l', `!${KUBEEDGE_LABEL}`],
  ])
  return (others?.items ?? []).every(({ metadata }) => metadata.name === settings.node.name)
}

async function podsOn(ctx: UpgradeContext): Promise<readonly PodObject[]> {
  const selector = `--field-selector=spec.nodeName=${ctx.settings.node.name}`
  const options = { kubeconfig: kubeconfigOf(ctx) }
  return (await kubectlGet<{ items: PodObject[] }>(ctx.host, ['pods', '-A', selector], options))?.items ?? []
}

/** Undefined: it goes, or is gone. Else why not now. */
async function evict(ctx: UpgradeContext, namespace: string, name: string): Promise<string | undefined> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
  const { exitCode, stderr } = await ctx.host.run(
    KUBECTL,
    ['--kubeconfig', kubeconfigOf(ctx), 'create', '--raw', path, '-f', '-'],
    {
      title: `evict Pod ${namespace}/${name}`,
      undo: null,
      input: JSON.stringify(eviction),
      okExitCodes: [0, 1],
    },
  )
  if (exitCode === 0 || /not found/i.test(stderr)) return undefined
  return stderr.trim().split('\n').at(-1)
}
