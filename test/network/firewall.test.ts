import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { MachineHost } from '../../src/host/machine-host.ts'
import { lookAtNetwork } from '../../src/network/baseline.ts'
import { type FirewallProgram, firewallPrograms } from '../../src/network/firewall-programs.ts'
import { isMaterial, leftovers } from '../../src/network/ruleset.ts'
import { NamespacedMachine } from './namespaced-machine.ts'

/** As kube-proxy, the kubelet, flannel and CNI's bridge and portmap leave them. */
const KUBE_RULES = await readFile(new URL('kube-rules', import.meta.url), 'utf8')
const KUBE_TABLES = `
table ip kube-proxy {
  chain services { type nat hook prerouting priority -100; }
}
table inet cni_plugins_masquerade {
  set x { type ipv4_addr; }
  chain checks { }
}
`
const USER_TABLE = `
table inet mine {
  chain input { type filter hook input priority 5; policy drop; }
}
`

let machine: NamespacedMachine
/** Programs that this machine is to be without. */
let hidden: RegExp
let host: Host

beforeEach(async () => {
  machine = await NamespacedMachine.make()
  hidden = /^$/
  const recorder = { announce: async () => {}, keep: async () => '', hasRecord: async () => false }
  const execute = machine.execute.bind(machine)
  machine.execute = async (file, args, options) =>
    hidden.test(file) ? { stdout: '', stderr: '', exitCode: 127 } : execute(file, args, options)
  host = new MachineHost(machine, recorder)
})
afterEach(async () => machine.end())

const run = async (command: string, input = ''): Promise<string> => {
  const [file = '', ...args] = command.split(' ')
  return (await host.run(file, args, { title: command, undo: null, input })).stdout
}

/** Without the times that it was written. */
const save = async (program: string): Promise<string> =>
  (await run(program)).replace(/^# (Generated|Completed).*$/gm, '')

async function clean(before: Awaited<ReturnType<typeof lookAtNetwork>>): Promise<FirewallProgram[]> {
  const { programs } = await firewallPrograms(host)
  for (const program of programs) {
    const removals = leftovers(await program.read(), before.rules[program.flavour])
    if (removals.length > 0) await program.remove(host, removals, 'clean up')
  }
  return programs
}

async function addUserRules(iptables: string): Promise<void> {
  await run(`${iptables} -A INPUT -p tcp --dport 22 -j ACCEPT`)
  await run(`${iptables} -A INPUT -m comment --comment -j_KUBE-FIREWALL -j ACCEPT`)
  await run(`${iptables} -P INPUT DROP`)
  await run(`${iptables} -P FORWARD DROP`)
  await run(`${iptables} -N MINE`)
  await run(`${iptables} -N CNI-podman`)
  await run(`${iptables} -A FORWARD -j CNI-podman`)
}

describe('through nft', () => {
  test("Kubernetes' rules go and the ruleset is as before, byte by byte", async () => {
    await addUserRules('iptables-nft')
    await run('nft -f -', USER_TABLE)
    const before = await lookAtNetwork(host)
    const [rules, text] = [await run('nft list ruleset'), await save('iptables-nft-save')]
    await run('iptables-nft-restore --noflush', KUBE_RULES)
    await run('ip6tables-nft-restore --noflush', '*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n')
    await run('nft -f -', KUBE_TABLES)
    const programs = await clean(before)
    expect(programs.map(({ name }) => name)).toEqual(['nft'])
    expect(await run('nft list ruleset')).toBe(rules)
    expect(await save('iptables-nft-save')).toBe(text)
  })

  test('from nothing, nothing remains', async () => {
    const before = await lookAtNetwork(host)
    await run('iptables-nft-restore --noflush', KUBE_RULES)
    await clean(before)
    expect(await run('nft list ruleset')).toBe('')
  })

  test("a rule of the user's that came meanwhile stays with its table", async () => {
    const before = await lookAtNetwork(host)
    await run('iptables-nft-restore --noflush', KUBE_RULES)
    await run('iptables-nft -t nat -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE')
    await clean(before)
    expect(await save('iptables-nft-save')).toContain('-A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE')
    expect(await run('nft list ruleset')).not.toMatch(/KUBE|FLANNEL|CNI/)
  })
})

describe.each(['nft', 'legacy'] as const)('through iptables-%s', (kind) => {
  beforeEach(() => {
    hidden = /^nft$/
  })

  test("Kubernetes' rules go, others and all policies stay", async () => {
    await addUserRules(`iptables-${kind}`)
    await run(`iptables-${kind} -t nat -A OUTPUT -d 192.0.2.1 -j RETURN`)
    await run(`iptables-${kind} -t mangle -A OUTPUT -d 192.0.2.1 -j RETURN`)
    const before = await lookAtNetwork(host)
    const text = await save(`iptables-${kind}-save`)
    await run(`iptables-${kind}-restore --noflush`, KUBE_RULES)
    expect(await save(`iptables-${kind}-save`)).not.toBe(text)
    const programs = await clean(before)
    expect(programs.map(({ name }) => name)).toContain(`iptables-${kind}`)
    expect(await save(`iptables-${kind}-save`)).toBe(text)
    expect(text).toContain(':INPUT DROP')
  })
})

test('without any program, what may be there is known to be unseen', async () => {
  await run('iptables-legacy -A INPUT -j ACCEPT')
  hidden = /^(nft|ip6?tables.*)$/
  expect(await firewallPrograms(host)).toEqual({ programs: [], blind: ['nf_tables', 'legacy'] })
})

test('empty chains that accept everything are no residue', async () => {
  const before = await lookAtNetwork(host)
  await run('iptables-nft-restore --noflush', KUBE_RULES)
  hidden = /^nft$/
  await clean(before)
  const { programs } = await firewallPrograms(host)
  for (const program of programs)
    expect(leftovers(await program.read(), before.rules[program.flavour]).filter(isMaterial)).toEqual([])
  expect(await save('iptables-nft-save')).not.toMatch(/KUBE|FLANNEL|CNI/)
})
