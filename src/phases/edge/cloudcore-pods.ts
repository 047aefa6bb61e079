import { NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import { awaitRollout, changeCluster, kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import type { InitContext } from '../context.ts'
import { podLogs } from './pod-logs.ts'

/** Milliseconds. CloudCore itself waits up to 9 s at random before it begins. */
const LIMIT = 180_000
const SELECTOR = ['-l', 'kubeedge=cloudcore'] as const
/** On each Pod: a hash of what it runs with. */
const INPUTS = 'edgeadm.io/inputs'

type Context = Pick<InitContext, 'host' | 'signal'>

interface Pod {
  readonly metadata: {
    readonly name: string
    readonly deletionTimestamp?: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

interface Workload {
  readonly kind: string
  readonly metadata: { readonly generation: number }
  readonly status: { readonly observedGeneration?: number; readonly desiredNumberScheduled?: number }
}

const inNamespace = { namespace: NAMESPACE } as const

async function workload(host: Context['host']): Promise<Workload | undefined> {
  const args = ['deployments,daemonsets', '--field-selector=metadata.name=cloudcore']
  return (await kubectlGet<{ items: Workload[] }>(host, args, inNamespace))?.items[0]
}

async function pods(host: Context['host']): Promise<Pod[]> {
  const list = await kubectlGet<{ items: Pod[] }>(host, ['pods', ...SELECTOR], inNamespace)
  return (list?.items ?? []).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

/**
 * Ends the Pods that run with something else than `inputs`. New ones start at once. Their DaemonSet does not do it by itself: it
 * would also end them when a master comes or goes.
 * @param inputs undefined: all of them
 */
export async function endPods({ host }: Context, title: string, inputs: string | undefined): Promise<void> {
  const stale = (await pods(host)).filter(({ metadata }) => metadata.annotations?.[INPUTS] !== inputs)
  const names = stale.map(({ metadata }) => metadata.name)
  if (names.length > 0)
    await changeCluster(
      host,
      title,
      ['delete', 'pod', ...names, '--wait=false', '--ignore-not-found'],
      inNamespace,
    )
}

/** Makes a CloudCore that runs read everything again, and waits for it. Nothing is done where there is none yet. */
export async function startAfresh(ctx: Context): Promise<void> {
  const title = 'start CloudCore afresh'
  const kind = (await workload(ctx.host))?.kind
  if (kind === 'Deployment')
    await changeCluster(ctx.host, title, ['rollout', 'restart', 'deployment/cloudcore'], inNamespace)
  if (kind === 'DaemonSet') await endPods(ctx, title, undefined)
  await awaitCloudCore(ctx)
}

/** Waits until CloudCore runs on each master where it should, in its newest form. Nothing to wait for without CloudCore. */
export async function awaitCloudCore({ host, signal }: Context): Promise<void> {
  const found = await workload(host)
  const diagnose = () => podLogs(host, NAMESPACE)
  if (found === undefined) return
  if (found.kind === 'Deployment')
    return awaitRollout(host, 'deployment/cloudcore', { ...inNamespace, timeout: LIMIT, diagnose })
  await awaitCondition('CloudCore to be ready on its masters', LIMIT, signal, async () => {
    const { metadata, status } = (await workload(host)) ?? found
    const ready = (await pods(host)).filter((pod) =>
      pod.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    ).length
    const wanted = status.desiredNumberScheduled ?? 0
    if (status.observedGeneration === metadata.generation && wanted > 0 && ready >= wanted) return true
    return `${ready} of ${wanted} Pods are ready`
  }).catch(async (error: unknown) => {
    if (!(error instanceof EdgeadmError)) throw error
    throw new EdgeadmError(error.class, error.message, { details: [...error.details, ...(await diagnose())] })
  })
}
