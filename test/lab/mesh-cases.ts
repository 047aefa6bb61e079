/** What is tested of EdgeMesh without its images: all but the program itself, for which one stands that only sleeps. */

import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Relay } from '../../src/kubeedge/mesh.ts'
import { edgeLab, WITH_PACKAGE } from './edge-lab.ts'
import { phasesDone, runEdgeadm } from './edgeadm-run.ts'
import { eventually } from './eventually.ts'
import type { TestLab } from './machines.ts'
import { insideOf, type MeshPod, meshObjects, meshPods, processOf, RELAYS } from './mesh-objects.ts'

/**
 * On a cluster of master-1, edge-1 with the secure MetaServer and edge-2 with the plain one; master-2 joins it.
 * @param joinLine the words for another run of edge-1's join
 */
export function meshCases(lab: TestLab, joinLine: () => readonly string[]): void {
  const { kubectl } = edgeLab(lab)
  const kinds = (pods: readonly MeshPod[]) => pods.map(({ node, kind }) => [node, kind])
  const running = (count: number) =>
    eventually(
      () => meshPods(lab),
      (found) => found.length === count && found.every(({ phase }) => phase === 'Running'),
      120_000,
    )

  const expectRelays = async (pods: readonly MeshPod[], relays: readonly Relay[]) => {
    for (const pod of pods) {
      const { modules } = parse((await insideOf(lab, pod)).config) as {
        modules: { edgeTunnel: { relayNodes: Relay[] } }
      }
      expect(modules.edgeTunnel.relayNodes, `${pod.node} ${pod.kind}`).toEqual(relays)
    }
  }
  const tunnelMasters = () =>
    kubectl(
      ...['-n', 'kubeedge', 'get', 'daemonset', 'cloud-iptables-manager', '-o'],
      'jsonpath={.spec.template.spec.initContainers[0].env[?(@.name=="MASTERS")].value}',
    )

  describe("EdgeMesh's objects, with a program that only sleeps in its place", () => {
    test('are taken by the API server, and each node gets the Pod that fits', async () => {
      const jsonPath = 'jsonpath={.spec.template.spec.containers[0].image}'
      const image = await kubectl('-n', 'kubeedge', 'get', 'daemonset', 'edge-check', '-o', jsonPath)
      await lab.run('master-1', ['kubectl', 'apply', '--server-side', '-f', '-'], {
        input: meshObjects(image, 'edge-1'),
      })
      expect(kinds(await running(4))).toEqual([
        ['edge-1', 'agent-edge-secure'],
        ['edge-1', 'gateway-edge-secure'],
        ['edge-2', 'agent-edge-plain'],
        ['master-1', 'agent-cloud'],
      ])
    })

    test('give them the key, the configuration, a token where it helps, and few rights', async () => {
      for (const pod of await meshPods(lab)) {
        const inside = await insideOf(lab, pod)
        const gateway = pod.kind.startsWith('gateway')
        expect(inside, pod.kind).toMatchObject({
          psk: true,
          pskMode: '400',
          noNewPrivileges: true,
          // NET_BIND_SERVICE alone, or with NET_ADMIN and NET_RAW: bits 10, 12 and 13.
          capabilities: gateway ? '0000000000000400' : '0000000000003400',
        })
        expect(inside.config).toContain(`relayNodes: ${JSON.stringify(RELAYS.relays)}`)
        const server = { cloud: undefined, secure: 'https', plain: 'http' }[pod.kind.replace(/.*-/, '')]
        if (server === undefined) expect(inside.config).not.toContain('metaServer')
        else expect(inside.config).toContain(`server: ${server}://127.0.0.1:10550`)
        expect(inside.token === undefined, pod.kind).toBe(pod.kind === 'agent-edge-plain')
      }
    })

    test('start afresh when edgeadm starts edgecore afresh', async () => {
      const before = await meshPods(lab)
      const processes = async () =>
        Promise.all(before.filter(({ node }) => node === 'edge-1').map((pod) => processOf(lab, pod)))
      const old = await processes()
      const words = [...joinLine(), ...WITH_PACKAGE, '--node-labels=again=yes']
      const again = await runEdgeadm(lab, 'edge-1', words)
      expect(again.exitCode, again.error?.message).toBe(0)
      expect(phasesDone(again)).toContain('edge/edgemesh-renew')
      const fresh = await eventually(processes, (found) => found.every((one) => !old.includes(one)), 60_000)
      expect(fresh).toHaveLength(2)
      expect((await meshPods(lab)).map(({ uid }) => uid)).toEqual(before.map(({ uid }) => uid))
    })

    test('know a master that joins later as a relay, each Pod of them in its own configuration', async () => {
      const before = (await meshPods(lab)).map(({ uid }) => uid)
      const create = ['edgeadm', 'token', 'create', '--print-join-command', '--control-plane']
      const line = (await lab.run('master-1', create)).trim().split(' ').slice(1)
      const joined = await runEdgeadm(lab, 'master-2', [...line, WITH_PACKAGE[0] ?? ''])
      expect(joined.exitCode, joined.error?.message).toBe(0)
      expect(phasesDone(joined)).toContain('edge/masters')
      const pods = await eventually(
        () => running(5),
        (found) => found.every(({ uid }) => !before.includes(uid)),
        180_000,
      )
      expect(kinds(pods)).toContainEqual(['master-2', 'agent-cloud'])
      await expectRelays(pods, [
        ...RELAYS.relays,
        { nodeName: 'master-2', advertiseAddress: ['10.123.0.12'] },
      ])
    })

    test('forget a master that leaves, as the tunnel to the edges does', async () => {
      expect(await tunnelMasters()).toBe('10.123.0.11 10.123.0.12')
      await lab.run('master-2', ['edgeadm', 'reset', '--force'])
      expect(await tunnelMasters()).toBe('10.123.0.11')
      const pods = await running(4)
      await eventually(
        async () => expectRelays(await meshPods(lab), RELAYS.relays),
        () => true,
        180_000,
      )
      expect(pods.map(({ node }) => node)).not.toContain('master-2')
      await lab.run('master-1', ['kubectl', 'delete', '-f', '-'], { input: meshObjects('none', 'edge-1') })
    })
  })
}
