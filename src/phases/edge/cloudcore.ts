import { createHash } from 'node:crypto'
import { checkReachable } from '../../kubeedge/cloudcore-client.ts'
import { type ClusterFacts, FACTS_SCHEMA, NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import { MESH_DNS } from '../../kubeedge/mesh.ts'
import { applyManifest, awaitRollout, changeCluster, kubectlGet } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { render, templateText } from '../../templates.ts'
import { awaitCondition } from '../await.ts'
import type { InitContext } from '../context.ts'
import { readEndpoint, wantedEndpoint } from '../load-balancer/cluster-endpoint.ts'
import type { Phase } from '../workflow.ts'
import { cloudNames } from './certificates.ts'
import { guardedMasters } from './masters.ts'
import { meshImages } from './mesh/images.ts'
import { podLogs } from './pod-logs.ts'
import { requiredEdgeParts, withEdge } from './with-edge.ts'

/** Milliseconds. CloudCore itself waits up to 9 s at random before it begins. */
const LIMIT = 180_000

/** The API server's default, which kubeadm leaves as it is. */
const issuerOf = (dnsDomain: string) => `https://kubernetes.default.svc.${dnsDomain}`

interface Found {
  /** PEM. */
  readonly serviceAccountKeys: string
  /** Addresses of the masters. */
  readonly masters: readonly string[]
  /** Of edgeadm's own load balancer: CloudCore follows it. */
  readonly virtualAddress: string | undefined
}

function manifest(ctx: InitContext, { serviceAccountKeys, masters, virtualAddress }: Found): string {
  const parts = requiredEdgeParts(ctx)
  const { settings } = ctx
  const names = cloudNames(ctx)
  const facts: ClusterFacts = {
    schema: FACTS_SCHEMA,
    cloudAddresses: [...settings.edge.cloudAddresses],
    kubeEdgeVersion: parts.version,
    kubernetesVersion: settings.kubernetesVersion,
    serviceAccountKeys,
    serviceAccountIssuer: issuerOf(settings.dnsDomain),
    dnsDomain: settings.dnsDomain,
    clusterDns: 'agent' in meshImages(ctx) ? [MESH_DNS] : [],
    networks: [...(settings.podSubnet?.split(',') ?? []), ...settings.serviceSubnet.split(',')],
  }
  const cloudcore = {
    image: parts.cloudCoreImage,
    node: settings.node.name,
    virtualAddress,
    followAddress: templateText('edge/cloud/follow-address'),
    addresses: names.ip,
    // CloudCore refuses to start without an address; a name alone is not one.
    dnsNames: names.dns,
    inputs: createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 16),
  }
  return [
    render('edge/cloud/cloudcore.yaml', cloudcore),
    render('edge/cloud/iptables-manager.yaml', {
      image: parts.iptablesManagerImage,
      guard: templateText('edge/cloud/tunnel-guard'),
      masters,
    }),
    render('edge/cloud/join-access.yaml', { facts }),
    render('edge/cloud/edge-check.yaml', { image: parts.pauseImage }),
  ].join('\n---\n')
}

export const cloudCore: Phase<InitContext> = {
  name: 'edge/cloudcore',
  title: 'Install CloudCore',
  runIf: withEdge,
  inputs: (ctx) =>
    withEdge(ctx) === true
      ? [manifest(ctx, { serviceAccountKeys: '', masters: [], virtualAddress: undefined }), ctx.settings.ha]
      : undefined,
  verify: async () => true,
  run: async (ctx) => {
    const { host, settings } = ctx
    const serviceAccountKeys = (await host.readFile(`${settings.certDir}/sa.pub`)) ?? ''
    // Masters that joined since stay.
    const others = settings.dryRun ? [] : ((await guardedMasters(host)) ?? [])
    const masters = [...new Set([settings.advertiseAddress, ...others])]
    const virtualAddress = await followedAddress(ctx)
    if (!settings.dryRun) await removeOther(host, virtualAddress)
    await applyManifest(host, 'CloudCore', manifest(ctx, { serviceAccountKeys, masters, virtualAddress }))
  },
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

export const cloudCoreReady: Phase<InitContext> = {
  name: 'edge/cloudcore-ready',
  title: 'Wait for CloudCore',
  runIf: (ctx) => (ctx.settings.dryRun ? 'nothing was changed' : withEdge(ctx)),
  run: async (ctx) => {
    const { host, signal } = ctx
    const diagnose = () => podLogs(host, NAMESPACE)
    const options = { namespace: NAMESPACE, timeout: LIMIT, diagnose }
    const virtualAddress = await followedAddress(ctx)
    await awaitRollout(host, `${workload(virtualAddress)}/cloudcore`, options)
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
