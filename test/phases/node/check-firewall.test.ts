import { expect, it } from 'vitest'
import { checkFirewall } from '../../../src/phases/node/check-firewall.ts'
import { initOn, joinOn, machine, texts } from './machine.ts'

const chain = (name: string) => ({
  chain: { family: 'inet', table: 'filter', name, hook: name, policy: 'drop' },
})
const accept = (chainName: string, left: object, right: unknown) => ({
  rule: {
    family: 'inet',
    table: 'filter',
    chain: chainName,
    expr: [{ match: { op: '==', left, right } }, { accept: null }],
  },
})
const on = (...rules: object[]) =>
  machine({
    'nft --json': JSON.stringify({ nftables: [chain('input'), chain('forward'), ...rules] }),
    'firewall-cmd': '',
  })
const withoutManager = (...rules: object[]) => {
  const one = on(...rules)
  const execute = one.execute.bind(one)
  one.execute = async (file, args, options) =>
    file === 'firewall-cmd' ? { stdout: '', stderr: '', exitCode: 127 } : execute(file, args, options)
  return one
}

it('rules that drop by default: refused, with the rules to add', async () => {
  expect(texts(await checkFirewall(initOn(withoutManager())))).toEqual([
    `error Firewall: the firewall's chain inet filter input drops what it has no rule for, and the node's network needs rules there: \`nft 'insert rule inet filter input tcp dport { 6443, 2379-2380, 10250, 30000-32767, 10000, 10002, 10004 } accept'\`, \`nft 'insert rule inet filter input udp dport 8472 accept'\`, \`nft 'insert rule inet filter input iifname { "cni0", "flannel.1" } accept'\`; add them also to the file that it is loaded from at boot`,
    `error Firewall: the firewall's chain inet filter forward drops what it has no rule for, and the node's network needs rules there: \`nft 'insert rule inet filter forward iifname { "cni0", "flannel.1" } accept'\`, \`nft 'insert rule inet filter forward oifname { "cni0", "flannel.1" } accept'\`; add them also to the file that it is loaded from at boot`,
  ])
})

it('what is there already is not asked for', async () => {
  const cni = (name: string, key: string) => accept(name, { meta: { key } }, { set: ['cni0', 'flannel.1'] })
  const dport = (protocol: string, right: unknown) =>
    accept('input', { payload: { protocol, field: 'dport' } }, right)
  const rules = [cni('forward', 'iifname'), cni('forward', 'oifname'), cni('input', 'iifname')]
  const worker = { 'enable-edge': false }
  const open = [dport('tcp', { set: [10250, { range: [30000, 32767] }] }), dport('udp', 8472)]
  expect(await checkFirewall(joinOn(withoutManager(...rules, ...open), worker))).toEqual([])
  expect(texts(await checkFirewall(joinOn(withoutManager(...rules, ...open.slice(1)), worker)))).toEqual([
    expect.stringContaining("`nft 'insert rule inet filter input tcp dport { 10250, 30000-32767 } accept'`"),
  ])
  // An edge node is called by nobody, and has Pods all the same.
  expect(await checkFirewall(joinOn(withoutManager(...rules)))).toEqual([])
})

it("firewalld's own chains are opened by edgeadm itself", async () => {
  const firewalld = on()
  const execute = firewalld.execute.bind(firewalld)
  firewalld.execute = async (file, args, options) => {
    const output = await execute(file, args, options)
    return { ...output, stdout: output.stdout.replaceAll('"table":"filter"', '"table":"firewalld"') }
  }
  expect(await checkFirewall(initOn(firewalld))).toEqual([])
})
