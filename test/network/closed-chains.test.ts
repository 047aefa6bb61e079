import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { MachineHost } from '../../src/host/machine-host.ts'
import { closedChains, passes } from '../../src/network/closed-chains.ts'
import { NamespacedMachine } from './namespaced-machine.ts'

let machine: NamespacedMachine
let host: Host

beforeAll(async () => {
  machine = await NamespacedMachine.make()
  host = new MachineHost(machine, {
    announce: async () => {},
    keep: async () => '',
    hasRecord: async () => false,
  })
})
afterEach(async () => load('flush ruleset'))
afterAll(async () => machine.end())

const load = (rules: string) => host.run('nft', ['-f', '-'], { title: 'nft', undo: null, input: rules })
const iptables = (words: string) => host.run('iptables-nft', words.split(' '), { title: words, undo: null })
const RULES = `table inet filter {
  set web { type inet_service; flags interval; elements = { 80, 443, 2379-2380 } }
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    tcp dport { 22, 6443, 30000-32767 } accept
    udp dport 8472 accept
    tcp dport @web accept
    ip saddr 10.0.0.0/8 tcp dport 10250 ct state new accept
    iifname "eth*" tcp dport 9 accept
    ip daddr 127.0.0.1 icmp type echo-request accept
    meta l4proto { tcp, udp } th dport 53 accept
    tcp dport 1-65535 ip ttl 1 accept
    jump more
  }
  chain more { tcp dport 10000-10004 counter accept; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname { "cni0", "flannel.*" } accept
    counter reject with icmpx type admin-prohibited
  }
  chain open { type filter hook forward priority 5; policy accept; ct state invalid drop; }
}`

describe('chains that drop what they have no rule for', () => {
  test('are found by policy and by a last rule, and what their rules accept is known', async () => {
    await load(RULES)
    const [input, forward, ...others] = await closedChains(host)
    expect(others).toEqual([])
    expect(input).toMatchObject({ name: 'inet filter input', hook: 'input' })
    expect(forward).toMatchObject({ name: 'inet filter forward', hook: 'forward' })
    if (input === undefined || forward === undefined) throw new Error('not found')
    const tcp = (first: number, last = first) => passes(input, { protocol: 'tcp', ports: [first, last] })
    expect([6443, 80, 10250, 10002, 53, 9].map((port) => tcp(port))).toEqual(Array(6).fill(true))
    expect(tcp(30000, 32767)).toBe(true)
    expect(tcp(2379, 2380)).toBe(true)
    expect([8472, 10249, 10005].map((port) => tcp(port))).toEqual([false, false, false])
    expect(tcp(2379, 2381)).toBe(false)
    expect(passes(input, { protocol: 'udp', ports: [8472, 8472] })).toBe(true)
    expect(passes(input, { from: 'cni0' })).toBe(false)
    expect(passes(forward, { from: 'cni0' })).toBe(true)
    expect(passes(forward, { from: 'flannel.1' })).toBe(true)
    expect(passes(forward, { to: 'cni0' })).toBe(false)
  })

  test('those of iptables are read through iptables; flannel sees to a policy of FORWARD by itself', async () => {
    for (const words of [
      '-P INPUT DROP',
      '-A INPUT -i lo -j ACCEPT',
      '-A INPUT -p tcp -m multiport --dports 6443,10250:10255 -m comment --comment api -j ACCEPT',
      '-A INPUT -p tcp --dport 99 -m limit --limit 5/min -j ACCEPT',
      '-P FORWARD DROP',
    ])
      await iptables(words)
    const [input, ...others] = await closedChains(host)
    expect(others).toEqual([])
    expect(input).toMatchObject({ name: 'iptables INPUT', program: 'iptables', hook: 'input' })
    if (input === undefined) throw new Error('not found')
    expect(passes(input, { protocol: 'tcp', ports: [6443, 6443] })).toBe(true)
    expect(passes(input, { protocol: 'tcp', ports: [10250, 10250] })).toBe(true)
    expect(passes(input, { protocol: 'tcp', ports: [99, 99] })).toBe(false)
    expect(passes(input, { protocol: 'udp', ports: [6443, 6443] })).toBe(false)
    await iptables('-A FORWARD -j REJECT')
    expect((await closedChains(host)).map(({ name }) => name)).toEqual(['iptables INPUT', 'iptables FORWARD'])
  })

  test('without rules there are none', async () => expect(await closedChains(host)).toEqual([]))
})
