/** What other networks, other clusters and other distributions of Kubernetes left, and what of it breaks a new node. */

import { parse } from 'yaml'
import { gatherFacts } from '../../config/facts.ts'
import type { Look } from '../../host/host.ts'
import { otherDistributions } from '../../kubernetes/distributions.ts'
import { isControlPlane, isEdge, type NodeContext } from '../context.ts'
import { FILE as EDGE_CNI } from '../edge/cni.ts'
import { DIRECTORY, FILE as FLANNEL_CNI } from '../kubernetes/cni-config.ts'
import type { Problem } from '../problem.ts'

export async function checkLeftovers(ctx: NodeContext): Promise<Problem[]> {
  const found = [
    ...(ctx.settings.cni === 'none' ? [] : [...(await cniFiles(ctx)), ...(await bridge(ctx.host))]),
    ...(await credentials(ctx.host)),
    ...(await kubeconfigs(ctx)),
    ...(await distributions(ctx.host)),
  ]
  return found.map(([check, text]) => ({ check, severity: 'error', text }))
}

type Found = readonly [check: string, text: string]

/** containerd takes the first file by name (go-cni, max_conf_num = 1): one before edgeadm's is used in its stead. */
async function cniFiles({ host, settings }: NodeContext): Promise<Found[]> {
  const own = (isEdge(settings) ? EDGE_CNI : FLANNEL_CNI).slice(DIRECTORY.length + 1)
  const earlier = (await host.list(DIRECTORY)).filter(
    (name) => /\.(conf|conflist|json)$/.test(name) && name < own,
  )
  if (earlier.length === 0) return []
  const paths = earlier.map((name) => `${DIRECTORY}/${name}`).join(' ')
  return [
    [
      'CNIConfiguration',
      `${paths} would be used for Pods instead of edgeadm's network: \`rm ${paths}\`, or keep it with --cni=none`,
    ],
  ]
}

/** CNI's bridge plugin refuses a cni0 that has an address of another network. */
async function bridge(host: Look): Promise<Found[]> {
  const { interfaces } = await gatherFacts(host)
  const left = interfaces.find(({ name }) => name === 'cni0')
  const address = left?.addresses.find(({ family }) => family === 4)
  if (address === undefined) return []
  return [
    [
      'CNIBridge',
      `the bridge cni0 of another Pod network is still there, with ${address.address}/${address.prefixLength}: \`ip link delete cni0\``,
    ],
  ]
}

const KUBELET_PKI = '/var/lib/kubelet/pki'

/** The kubelet prefers a certificate that it finds here to the one that it is given, and another cluster's is refused. */
async function credentials(host: Look): Promise<Found[]> {
  const path = `${KUBELET_PKI}/kubelet-client-current.pem`
  if ((await host.stat(path)) === undefined) return []
  return [
    [
      'KubeletCredentials',
      `${path} is the kubelet's certificate in a former cluster, and it would use it in the new one: \`rm -r ${KUBELET_PKI}\``,
    ],
  ]
}

const KUBECONFIGS = ['admin', 'super-admin', 'controller-manager', 'scheduler']

/** kubeadm keeps kubeconfig files that it finds, and fails where they trust another CA than the cluster's. */
async function kubeconfigs({ host, settings }: NodeContext): Promise<Found[]> {
  if (!isControlPlane(settings)) return []
  const certDir = settings.command === 'init' ? settings.certDir : '/etc/kubernetes/pki'
  const ca = (await host.readFile(`${certDir}/ca.crt`))?.trim()
  const stale: string[] = []
  for (const name of KUBECONFIGS) {
    const path = `/etc/kubernetes/${name}.conf`
    const text = await host.readFile(path)
    if (text !== undefined && (ca === undefined || caOf(text) !== ca)) stale.push(path)
  }
  if (stale.length === 0) return []
  const paths = stale.join(' ')
  return [['KubeconfigCA', `${paths} trust the CA of another cluster: \`rm ${paths}\``]]
}

function caOf(kubeconfig: string): string | undefined {
  try {
    const { clusters } = parse(kubeconfig) as {
      clusters?: { cluster?: { 'certificate-authority-data'?: string } }[]
    }
    const data = clusters?.[0]?.cluster?.['certificate-authority-data']
    return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8').trim()
  } catch {
    // What is no YAML is no kubeconfig of this cluster.
    return undefined
  }
}

async function distributions(host: Look): Promise<Found[]> {
  return (await otherDistributions(host)).map(({ unit, name, removal, active }) => [
    'OtherDistribution',
    `${unit} ${active ? 'runs' : 'is enabled'}: this machine is a node of a cluster of ${name}; \`${removal}\` takes it out`,
  ])
}
