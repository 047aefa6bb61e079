import type { Secret } from '../../kubeedge/cloud-certificates.ts'
import { checkReachable } from '../../kubeedge/cloudcore-client.ts'
import { CA_CONFIG_MAP, NAMESPACE, readClusterFacts } from '../../kubeedge/cluster-facts.ts'
import { applyManifest, awaitRollout, changeCluster, kubectlGet } from '../../kubernetes/kubectl.ts'
import { readMasters } from '../../kubernetes/masters.ts'
import { tokenIssuer } from '../../kubernetes/token-issuer.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import type { InitContext } from '../context.ts'
import { ownRecord } from '../kubernetes/master-record.ts'
import { readEndpoint, wantedEndpoint } from '../load-balancer/cluster-endpoint.ts'
import { type Phase, trustJournal } from '../workflow.ts'
import { readCa } from './certificates.ts'
import { cloudCoreManifest, NOTHING_FOUND, takesBootstrapTokens } from './cloudcore-manifest.ts'
import { awaitCloudCore, endPods } from './cloudcore-pods.ts'
import { podLogs } from './pod-logs.ts'
import { withEdge } from './with-edge.ts'

/** Milliseconds. CloudCore itself waits up to 9 s at random before it begins. */
const LIMIT = 180_000

export const cloudCore: Phase<InitContext> = {
  name: 'edge/cloudcore',
  title: 'Install CloudCore',
  runIf: withEdge,
  inputs: (ctx) =>
    withEdge(ctx) === true
      ? [
          cloudCoreManifest(ctx, NOTHING_FOUND).text,
          ctx.settings.ha,
          ctx.settings.documents.ClusterConfiguration,
        ]
      : undefined,
  verify: trustJournal,
  run: async (ctx) => {
    const { host, settings } = ctx
    const issuer = await tokenIssuer(host, settings)
    const earlier = settings.dryRun ? undefined : await readClusterFacts(host)
    const masters = settings.dryRun ? [ownRecord(ctx)] : await readMasters(host)
    const virtualAddress = await followedAddress(ctx)
    if (!settings.dryRun) await removeOther(host, virtualAddress)
    const ca = settings.dryRun ? '' : await caOf(host)
    const found = { issuer, earlier, masters, virtualAddress, ca }
    const { text, inputs, stream } = cloudCoreManifest(ctx, found)
    await applyManifest(host, 'CloudCore', text)
    if (settings.dryRun) return
    if (!stream) await removeStream(host)
    if (!takesBootstrapTokens(ctx)) {
      const published = ['delete', 'configmap', CA_CONFIG_MAP, '--ignore-not-found']
      await changeCluster(host, 'let edge nodes join with the token of CloudCore', published, {
        namespace: NAMESPACE,
      })
    }
    if (virtualAddress !== undefined)
      await endPods(ctx, 'let CloudCore start with its new configuration', inputs)
  },
}

/** PEM. @throws EdgeadmError class `phase` */
async function caOf(host: InitContext['host']): Promise<string> {
  const secret = await kubectlGet<Secret>(host, ['secret', 'casecret'], { namespace: NAMESPACE })
  const ca = readCa(secret)
  if (ca !== undefined) return ca.certificatePem
  throw new EdgeadmError('phase', `there is no Secret ${NAMESPACE}/casecret with CloudCore's CA`, {
    fix: 'run `edgeadm init phase edge/certificates` with the same flags, and then this again',
  })
}

async function followedAddress(ctx: InitContext): Promise<string | undefined> {
  if (ctx.settings.ha.mode === 'haproxy-keepalived') return (await wantedEndpoint(ctx)).address
  // A cluster that was given a balancer has it also in a later run without the flag.
  return ctx.settings.dryRun ? undefined : (await readEndpoint(ctx.host))?.address
}

/** templates/edge/cloud/cloudcore.yaml makes the one or the other. */
const workload = (virtualAddress: string | undefined) =>
  virtualAddress === undefined ? 'deployment' : 'daemonset'

/** When a cluster gets a balancer later, the Deployment would keep CloudCore's ports. */
async function removeOther(host: InitContext['host'], virtualAddress: string | undefined): Promise<void> {
  const other = workload(virtualAddress) === 'daemonset' ? 'deployment' : 'daemonset'
  const found = await kubectlGet(host, [other, 'cloudcore'], { namespace: NAMESPACE })
  if (found === undefined) return
  await changeCluster(host, `remove ${other} cloudcore`, ['delete', other, 'cloudcore'], {
    namespace: NAMESPACE,
  })
}

/** What led API servers to edge nodes (--edge-stream=false). Its guard is not needed where nothing listens. */
async function removeStream(host: InitContext['host']): Promise<void> {
  const all = [
    'daemonset/cloud-iptables-manager',
    'configmap/tunnel-guard',
    'serviceaccount/iptables-manager-sa',
  ]
  await changeCluster(
    host,
    'end the way of kubectl logs and exec to edge nodes',
    ['delete', ...all, '--ignore-not-found'],
    { namespace: NAMESPACE },
  )
}

export const cloudCoreReady: Phase<InitContext> = {
  name: 'edge/cloudcore-ready',
  title: 'Wait for CloudCore',
  runIf: (ctx) => (ctx.settings.dryRun ? 'nothing was changed' : withEdge(ctx)),
  run: async (ctx) => {
    const { host, signal } = ctx
    const diagnose = () => podLogs(host, NAMESPACE)
    const options = { namespace: NAMESPACE, timeout: LIMIT, diagnose }
    const virtualAddress = await followedAddress(ctx)
    await awaitCloudCore(ctx)
    if (
      (await kubectlGet(host, ['daemonset', 'cloud-iptables-manager'], { namespace: NAMESPACE })) !==
      undefined
    )
      await awaitRollout(host, 'daemonset/cloud-iptables-manager', options)
    await awaitCondition('CloudCore to make its join token', LIMIT, signal, async () => {
      const secret = await kubectlGet(host, ['secret', 'tokensecret'], { namespace: NAMESPACE })
      return secret !== undefined
    })
    await checkReachable(virtualAddress ?? (await activeAddress(host)), { signal })
  },
}

/** Of the one CloudCore that there is without a virtual address. */
async function activeAddress(host: InitContext['host']): Promise<string> {
  const pods = await kubectlGet<{ items: { status: { hostIP: string } }[] }>(
    host,
    ['pods', '-l', 'kubeedge=cloudcore', '--field-selector=status.phase=Running'],
    { namespace: NAMESPACE },
  )
  const address = pods?.items[0]?.status.hostIP
  if (address === undefined) throw new EdgeadmError('phase', 'no Pod of CloudCore runs')
  return address
}
