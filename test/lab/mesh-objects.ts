/** EdgeMesh's objects with a program that only sleeps in its place: all but the program itself is real. */

import { gatewayManifest, type MeshRelays, meshManifest } from '../../src/kubeedge/mesh.ts'
import { render } from '../../src/templates.ts'
import type { TestLab } from './machines.ts'

const PSK = 'a key of the test'
export const RELAYS: MeshRelays = {
  relays: [{ nodeName: 'master-1', advertiseAddress: ['10.123.0.11'] }],
  followMasters: true,
}

/** Everything that init applies for EdgeMesh, the gateway for one node. */
export const meshObjects = (image: string, gatewayNode: string): string =>
  [
    render('edge/mesh/definitions.yaml'),
    render('edge/cloud/secret.yaml', {
      name: 'edgemesh-psk',
      data: { psk: Buffer.from(PSK).toString('base64') },
    }),
    meshManifest(image, RELAYS),
    gatewayManifest(image, RELAYS, [gatewayNode], true),
  ].join('\n---\n')

export interface MeshPod {
  readonly node: string
  /** `agent-cloud`, `gateway-edge-secure`, … */
  readonly kind: string
  readonly uid: string
  readonly phase: string
}

/** Sorted by node and kind. */
export async function meshPods(lab: TestLab): Promise<MeshPod[]> {
  const command = ['kubectl', '-n', 'kubeedge', 'get', 'pods', '-l', 'edgemesh', '-o', 'json']
  const { items } = JSON.parse(await lab.run('master-1', command)) as {
    items: {
      metadata: { uid: string; labels: { edgemesh: string }; deletionTimestamp?: string }
      spec: { nodeName: string }
      status: { phase: string }
    }[]
  }
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec, status }) => ({
      node: spec.nodeName,
      kind: metadata.labels.edgemesh,
      uid: metadata.uid,
      phase: status.phase,
    }))
    .sort((a, b) => `${a.node} ${a.kind}`.localeCompare(`${b.node} ${b.kind}`))
}

/** The folder in /proc of the container's process, found by its mount of the configuration. */
export async function processOf(lab: TestLab, { node, uid }: MeshPod): Promise<string> {
  const script = `for file in /proc/[0-9]*/mountinfo
do grep -q "pods/$1/.* /etc/edgemesh/config " "$file" 2>/dev/null && exec dirname "$file"
done
exit 1`
  return (await lab.run(node, ['sh', '-c', script, 'find', uid])).trim()
}

export interface Inside {
  readonly config: string
  readonly psk: boolean
  readonly pskMode: string
  readonly token: string | undefined
  /** From /proc/PID/status. */
  readonly capabilities: string | undefined
  readonly noNewPrivileges: boolean
}

/** What the container has: read from outside, since its image has no programs to look with. */
export async function insideOf(lab: TestLab, pod: MeshPod): Promise<Inside> {
  const directory = await processOf(lab, pod)
  const read = (path: string) => lab.run(pod.node, ['cat', `${directory}${path}`])
  const name = pod.kind.startsWith('gateway') ? 'edgemesh-gateway' : 'edgemesh-agent'
  const token = '/root/run/secrets/kubernetes.io/serviceaccount/token'
  const other = token.replace('/root/run', '/root/var/run')
  const status = await read('/status')
  let found: string | undefined
  for (const path of [other, token]) {
    const answer = await lab.probe(pod.node, ['cat', `${directory}${path}`])
    if (answer.exitCode === 0) found ??= answer.stdout
  }
  return {
    config: await read(`/root/etc/edgemesh/config/${name}.yaml`),
    psk: (await read('/root/etc/edgemesh/psk')) === PSK,
    pskMode: (await lab.run(pod.node, ['stat', '-c', '%a', `${directory}/root/etc/edgemesh/psk`])).trim(),
    token: found,
    capabilities: /^CapBnd:\s*(\S+)/m.exec(status)?.[1],
    noNewPrivileges: /^NoNewPrivs:\s*1$/m.test(status),
  }
}
