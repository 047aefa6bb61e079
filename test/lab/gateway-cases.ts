/** What EdgeMesh's gateway on edge-1 gets of the cluster's Secrets. In its place stands a Pod that only sleeps, with its account. */

import { describe, expect, test } from 'vitest'
import { gatewayManifest } from '../../src/kubeedge/mesh.ts'
import { render } from '../../src/templates.ts'
import { edgeLab, MASTER } from './edge-lab.ts'
import { eventually } from './eventually.ts'
import type { TestLab } from './machines.ts'
import { RELAYS } from './mesh-objects.ts'

const SECRETS = 'https://127.0.0.1:10550/api/v1/secrets'

const gateway = (selector: object, credentialName: string) => ({
  apiVersion: 'networking.istio.io/v1alpha3',
  kind: 'Gateway',
  metadata: { name: credentialName, namespace: 'default' },
  spec: {
    selector,
    servers: [
      {
        port: { number: 443, name: 'https', protocol: 'HTTPS' },
        hosts: ['*'],
        tls: { mode: 'SIMPLE', credentialName },
      },
    ],
  },
})
const secret = (name: string, type: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  type,
  stringData: { 'tls.crt': 'a certificate', 'tls.key': 'a key' },
})

/** edge-1 has joined with a secure MetaServer. */
export function gatewayCases(lab: TestLab): void {
  const { kubectl } = edgeLab(lab)
  const apply = (...objects: object[]) =>
    lab.run('master-1', ['kubectl', 'apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    })
  let token = ''
  const ask = (url: string, ...flags: string[]) =>
    lab.probe('edge-1', ['curl', '-skN', '-H', '@-', ...flags, url], {
      input: `Authorization: Bearer ${token}`,
    })
  const list = async () => {
    const { stdout } = await ask(SECRETS)
    return JSON.parse(stdout) as {
      metadata: { resourceVersion: string }
      items: { metadata: { name: string } }[]
      code?: number
    }
  }
  const names = async () => (await list()).items.map(({ metadata }) => metadata.name)

  describe("EdgeMesh's gateway on an edge node", () => {
    test('has no right to Secrets, and gets none without Gateways', async () => {
      const image = await kubectl(
        ...['-n', 'kubeedge', 'get', 'daemonset', 'edge-check', '-o'],
        'jsonpath={.spec.template.spec.containers[0].image}',
      )
      const rights = gatewayManifest(image, RELAYS, ['edge-1'], true).split('\n---\n')
      const input = [render('edge/mesh/definitions.yaml'), ...rights]
        .filter((text) => !/^kind: (DaemonSet|ConfigMap)$/m.test(text))
        .join('\n---\n')
      await lab.run('master-1', ['kubectl', 'apply', '--server-side', '-f', '-'], { input })
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'gateway', namespace: 'kubeedge' },
        spec: {
          serviceAccountName: 'edgemesh-gateway-edge',
          nodeName: 'edge-1',
          tolerations: [{ operator: 'Exists' }],
          containers: [{ name: 'gateway', image }],
        },
      })
      await kubectl('-n', 'kubeedge', 'wait', '--for=condition=Ready', 'pod/gateway', '--timeout=60s')
      const bound = ['--bound-object-kind=Pod', '--bound-object-name=gateway']
      token = (await kubectl('-n', 'kubeedge', 'create', 'token', 'edgemesh-gateway-edge', ...bound)).trim()
      await apply(
        secret('named', 'kubernetes.io/tls'),
        secret('other', 'kubernetes.io/tls'),
        secret('opaque', 'Opaque'),
      )
      const status = ['-o', '/dev/null', '-w', '%{http_code}']
      expect((await ask(`https://${MASTER}:6443/api/v1/secrets`, ...status)).stdout).toBe('403')
      expect(
        (await ask(`${SECRETS.replace('secrets', 'namespaces/kubeedge/secrets')}`, ...status)).stdout,
      ).toBe('403')
      await eventually(names, (found) => found.length === 0, 30_000)
    })

    test('gets the certificate that a Gateway names, and is told to list again when that comes', async () => {
      const { metadata } = await list()
      const watch = ask(
        `${SECRETS}?watch=true&resourceVersion=${metadata.resourceVersion}`,
        '--max-time',
        '60',
      )
      // Each change of a Gateway is looked at, also if the watch has not begun yet.
      const mesh = { kubeedge: 'edgemesh-gateway' }
      await apply(
        gateway(mesh, 'named'),
        gateway(mesh, 'opaque'),
        gateway({ istio: 'ingressgateway' }, 'other'),
      )
      expect(JSON.parse((await watch).stdout)).toMatchObject({ type: 'ERROR', object: { code: 410 } })
      expect(await names()).toEqual(['named'])
    })

    test('sees changes of that one, and of no other', async () => {
      const { metadata } = await list()
      const watch = ask(
        `${SECRETS}?watch=true&resourceVersion=${metadata.resourceVersion}`,
        '--max-time',
        '20',
      )
      for (const name of ['other', 'opaque', 'named'])
        await kubectl('annotate', 'secret', name, 'changed=yes')
      const events = (await watch).stdout.trim().split('\n')
      expect(events).toHaveLength(1)
      expect(events[0]).toMatch(/"type":"MODIFIED".*"name":"named"/)
      await kubectl('delete', 'gateways.networking.istio.io', '--all')
      await eventually(names, (found) => found.length === 0, 30_000)
      await kubectl('-n', 'kubeedge', 'delete', 'pod', 'gateway', '--wait=false')
    })
  })
}
