import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { unrecordedHost } from '../../src/host/unrecorded.ts'
import { attemptLines, isInside, networksIn, processOf } from '../../src/network/outside-attempts.ts'
import { OutsideTraffic, whyUnseen } from '../../src/network/outside-traffic.ts'
import { NamespacedMachine } from './namespaced-machine.ts'

describe('with the real nftables', () => {
  let machine: NamespacedMachine
  let host: Host
  const run = async (command: string): Promise<string> =>
    (await host.run('sh', ['-c', command], { title: command, undo: null })).stdout

  beforeEach(async () => {
    machine = await NamespacedMachine.make()
    host = unrecordedHost(machine, 'test', () => {})
    await run(
      'ip link set lo up; ip link add v0 type veth peer name v1; ip link set v1 up; ip link set v0 up',
    )
    await run('ip addr add 10.5.0.2/24 dev v0')
  })
  afterEach(async () => machine.end())

  const send = (protocol: string, address: string): Promise<string> =>
    run(`timeout 1 bash -c 'echo x > /dev/${protocol}/${address}' || true`)

  it('notes what goes outside, each connection once, with its process, and is gone afterwards', async () => {
    await run('ip route add default via 10.5.0.1')
    // Nobody answers there, so the first packet is sent again and again.
    await run('ip neigh add 10.5.0.1 lladdr 02:00:00:00:00:01 dev v0 nud permanent')
    await run('ip neigh add 10.5.0.9 lladdr 02:00:00:00:00:09 dev v0 nud permanent')
    expect(await whyUnseen(host, 4)).toBeUndefined()
    const outside = new OutsideTraffic()
    await outside.start(host, ['10.5.0.2/24', 'localhost', '.svc'], false)
    await run("timeout 3 bash -c 'echo x > /dev/tcp/203.0.113.9/443' || true")
    await send('udp', '203.0.113.9/53')
    for (const inside of ['10.5.0.9/80', '127.0.0.1/80', '198.51.100.4/80']) await send('tcp', inside)
    const lines = await outside.finish(host, ['10.5.0.2/24', '198.51.100.0/24'])
    expect(lines).toHaveLength(2)
    expect(lines.join('\n')).toMatch(/^bash \(process \d+\) to 203\.0\.113\.9:443\/tcp: 1 attempt$/m)
    expect(lines.join('\n')).toMatch(/ to 203\.0\.113\.9:53\/udp: 1 attempt$/m)
    expect(await run('nft list ruleset')).toBe('')
  })

  it('removes its table when the run ends early', async () => {
    await run('ip route add default via 10.5.0.1')
    const outside = new OutsideTraffic()
    await outside.start(host, [], false)
    await outside.discard()
    await outside.discard()
    expect(await run('nft list ruleset')).toBe('')
  })

  it('says what keeps it from seeing', async () => {
    expect(await whyUnseen(host, 4)).toMatch(/no default route/)
    expect(await whyUnseen(host, 6)).toMatch(/no default route/)
    const without = unrecordedHost(machine, 'test', () => {})
    const probe = without.probe.bind(without)
    without.probe = async (file, args, options) =>
      file === 'nft' ? { stdout: '', stderr: '', exitCode: 127 } : probe(file, args, options)
    expect(await whyUnseen(without, 4)).toMatch(/install the package nftables/)
  })
})

it('takes networks and addresses of both families, and leaves names out', () => {
  const networks = networksIn(['10.5.0.2/24', 'fd00::5/64', '192.0.2.1', 'fd01::1', 'localhost', '.svc', ''])
  expect(networks).toEqual(['10.5.0.0/24', 'fd00::/64', '192.0.2.1/32', 'fd01::1/128'])
  expect(isInside('10.5.0.77', networks)).toBe(true)
  expect(isInside('10.6.0.1', networks)).toBe(false)
  expect(isInside('fd00::9', networks)).toBe(true)
  expect(isInside('fd02::9', networks)).toBe(false)
})

const attempt = { source: '10.5.0.2', sourcePort: 4000, protocol: 'tcp', destination: 'fd02::9', port: 443 }

it('finds the process of a socket by protocol and port', () => {
  const sockets = [
    'udp   UNCONN   0 0      0.0.0.0:4000      0.0.0.0:*   users:(("dns",pid=1,fd=3))',
    'tcp   SYN-SENT 0 1      10.5.0.2:4000  203.0.113.9:443 users:(("curl",pid=42,fd=5))',
    'tcp   LISTEN   0 1      10.5.0.2:14000     0.0.0.0:*',
  ].join('\n')
  expect(processOf(sockets, attempt)).toBe('curl (process 42)')
  expect(processOf(sockets, { ...attempt, sourcePort: 14000 })).toBeUndefined()
})

it('counts by sender and destination', () => {
  const lines = attemptLines(
    [attempt, { ...attempt, port: 80 }, { ...attempt, sourcePort: 4001 }],
    () => 'curl',
  )
  expect(lines).toEqual(['curl to [fd02::9]:443/tcp: 2 attempts', 'curl to [fd02::9]:80/tcp: 1 attempt'])
})
