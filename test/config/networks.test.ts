import { describe, expect, it } from 'vitest'
import { resolveInit } from '../../src/config/load.ts'
import { input, problemsOf } from './fixtures.ts'

const problems = (flags: Record<string, string>) => problemsOf(() => resolveInit(input(flags)))

describe('CIDRs, in the words of kubeadm', () => {
  it.each([
    ['10.244.0.0', "couldn't parse subnet"],
    ['10.244.0.0/33', "couldn't parse subnet"],
    ['10.244/16', "couldn't parse subnet"],
    ['10.1.0.0/16,10.2.0.0/16', 'two CIDRs from each family'],
    ['10.244.0.0/29', 'subnet with 8 address(es) is too small, the minimum is 14'],
    [
      '10.244.0.0/25',
      'the size of pod subnet with mask 25 is smaller than the size of node subnet with mask 24',
    ],
    ['44.0.0.0/7', 'pod subnet mask (7) and node-mask (24) difference is greater than 16'],
  ])('--pod-network-cidr %s', (cidr, words) => {
    const found = problems({ 'pod-network-cidr': cidr })
    expect(found[0]).toMatch(/^--pod-network-cidr: /)
    expect(found.join('\n')).toContain(words)
  })

  it.each([
    ['10.96.0.0/29', 'the minimum is 10'],
    ['10.64.0.0/11', 'specified service subnet is too large; for 32-bit addresses, the mask must be >= 12'],
  ])('--service-cidr %s', (cidr, words) => expect(problems({ 'service-cidr': cidr })[0]).toContain(words))
})

describe('networks keep apart', () => {
  it('Pod and Service networks', () =>
    expect(problems({ 'pod-network-cidr': '10.96.0.0/16' })).toEqual([
      '--pod-network-cidr: the Pod network 10.96.0.0/16 overlaps the Service network 10.96.0.0/12',
    ]))

  it('either of them and the network of the nodes', () => {
    expect(problems({ 'pod-network-cidr': '10.0.0.0/16' })).toEqual([
      '--pod-network-cidr: the Pod network 10.0.0.0/16 overlaps the node network 10.0.0.10/24 of eth0',
    ])
    expect(problems({ 'service-cidr': '10.0.0.0/16' })).toEqual([
      '--service-cidr: the Service network 10.0.0.0/16 overlaps the node network 10.0.0.10/24 of eth0',
    ])
  })

  it('but not of what a CNI made in an earlier run', () => {
    const { facts, ...rest } = input({})
    const flannel = { name: 'flannel.1', up: true, loopback: false }
    const address = { address: '10.244.0.0', prefixLength: 32, family: 4 } as const
    const again = { ...facts, interfaces: [...facts.interfaces, { ...flannel, addresses: [address] }] }
    expect(resolveInit({ ...rest, facts: again }).podSubnet).toBe('10.244.0.0/16')
  })

  it('takes one of each family apart, which init then refuses', () => {
    const flags = {
      'pod-network-cidr': '10.244.0.0/16,fd00:10:244::/56',
      'service-cidr': '10.96.0.0/16,fd00:10:96::/112',
    }
    expect(problemsOf(() => resolveInit(input(flags)))).toEqual([
      '--pod-network-cidr: dual-stack clusters are not supported: name one network, IPv4 or IPv6',
      '--service-cidr: dual-stack clusters are not supported: name one network, IPv4 or IPv6',
    ])
  })
})

it("heeds the node mask of the user's controller manager", () => {
  const yaml = (args: string) => `
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
networking: {podSubnet: 10.244.0.0/25}
controllerManager:
  extraArgs:
  - {name: node-cidr-mask-size, value: "26"}${args}`
  expect(resolveInit(input({}, yaml(''))).podSubnet).toBe('10.244.0.0/25')
  expect(
    problemsOf(() => resolveInit(input({}, yaml('\n  - {name: node-cidr-mask-size-ipv4, value: "24"}'))))[0],
  ).toBe(
    'cluster.yaml:4: networking.podSubnet: invalid value "10.244.0.0/25": the size of pod subnet with mask 25 is smaller than the size of node subnet with mask 24',
  )
})
