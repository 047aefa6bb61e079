import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { MachineHost } from '../../src/host/machine-host.ts'
import { leftoverLinks, leftoverNamespaces, links } from '../../src/network/links.ts'
import { NamespacedMachine } from './namespaced-machine.ts'

let machine: NamespacedMachine
let host: Host

beforeEach(async () => {
  machine = await NamespacedMachine.make()
  host = new MachineHost(machine, {
    announce: async () => {},
    keep: async () => '',
    hasRecord: async () => false,
  })
})
afterEach(async () => machine.end())

const ip = async (command: string): Promise<void> => {
  await host.run('ip', command.split(' '), { title: command, undo: null })
}
const leftovers = async (before: readonly string[]): Promise<string[]> =>
  leftoverLinks(await links(host), before).map(({ name }) => name)

test("Kubernetes' devices are known by name, and Pods' ports by their bridge", async () => {
  await ip('link add mine0 type bridge')
  await ip('link add veth-mine type veth peer name other-mine')
  await ip('link set veth-mine master mine0')
  await ip('link add cni0 type bridge')
  await ip('link add veth123 type veth peer name eth0')
  await ip('link set veth123 master cni0')
  await ip('link add flannel.1 type vxlan id 1 dstport 8472 local 127.0.0.1')
  expect((await leftovers([])).sort()).toEqual(['cni0', 'flannel.1', 'veth123'])
  expect((await leftovers([]))[0]).toBe('veth123')
  expect(await leftovers(['cni0', 'veth123'])).toEqual(['flannel.1'])
})

test("Pods' network namespaces are those that containerd names", () => {
  const pod = 'cni-0104da98-aff5-75b4-6853-f96477379201'
  expect(leftoverNamespaces([pod, 'cni-mine', 'mine'], [])).toEqual([pod])
  expect(leftoverNamespaces([pod], [pod])).toEqual([])
})
