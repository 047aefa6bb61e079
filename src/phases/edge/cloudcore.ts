import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { checkReachable } from '../../kubeedge/cloudcore-client.ts'
import { type ClusterFacts, FACTS_SCHEMA, NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import { MESH_DNS } from '../../kubeedge/mesh.ts'
import { applyManifest, awaitRollout, kubectlGet } from '../../kubernetes/kubectl.ts'
import { render, templateText } from '../../templates.ts'
import { awaitCondition } from '../await.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { cloudNames } from './certificates.ts'
import { guardedMasters } from './masters.ts'
import { meshImages } from './mesh-images.ts'
import { podLogs } from './pod-logs.ts'
import { requiredEdgeParts, withEdge } from './with-edge.ts'

/** Milliseconds. CloudCore itself waits up to 9 s at random before it begins. */
const LIMIT = 180_000

/** The API server's default, which kubeadm leaves as it is. */
const issuerOf = (dnsDomain: string) => `https://kubernetes.default.svc.${dnsDomain}`

function manifest(ctx: InitContext, serviceAccountKeys: string, masters: readonly string[]): string {
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
  inputs: (ctx) => (withEdge(ctx) === true ? manifest(ctx, '', []) : undefined),
  verify: async () => true,
  run: async (ctx) => {
    const { host, settings } = ctx
    const keys = (await host.readFile(`${settings.certDir}/sa.pub`)) ?? ''
    // Masters that joined since stay.
    const others = settings.dryRun ? [] : ((await guardedMasters(host)) ?? [])
    const masters = [...new Set([settings.advertiseAddress, ...others])]
    await applyManifest(host, 'CloudCore', manifest(ctx, keys, masters))
  },
}

export const cloudCoreReady: Phase<InitContext> = {
  name: 'edge/cloudcore-ready',
  title: 'Wait for CloudCore',
  runIf: (ctx) => (ctx.settings.dryRun ? 'nothing was changed' : withEdge(ctx)),
  run: async ({ host, settings, signal }) => {
    const diagnose = () => podLogs(host, NAMESPACE)
    const options = { namespace: NAMESPACE, timeout: LIMIT, diagnose }
    await awaitRollout(host, 'daemonset/cloudcore', options)
    await awaitRollout(host, 'daemonset/cloud-iptables-manager', options)
    await awaitCondition('CloudCore to make its join token', LIMIT, signal, async () => {
      const secret = await kubectlGet(host, ['secret', 'tokensecret'], { namespace: NAMESPACE })
      return secret !== undefined
    })
    const address = settings.advertiseAddress
    if (isIP(address) !== 0) await checkReachable(address, { signal })
  },
}
