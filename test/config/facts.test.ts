import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { gatherFacts } from '../../src/config/facts.ts'
import type { Host, Output } from '../../src/host/host.ts'

/** Only the two reads that facts need. */
const host = (probe: (args: readonly string[]) => Promise<Output> | Output): Host =>
  ({
    probe: async (_file: string, args: readonly string[]) => probe(args),
    readFile: async () => 'Edge-1.example\n',
  }) as unknown as Host

const answer = (value: unknown, exitCode = 0): Output => ({
  stdout: JSON.stringify(value),
  stderr: '',
  exitCode,
})

it("understands ip's JSON: several devices for one route, interfaces that are down, no IPv6", async () => {
  const facts = await gatherFacts(
    host((args) => {
      if (args.includes('-6'))
        return { stdout: '', stderr: 'RTNETLINK answers: Operation not supported', exitCode: 2 }
      if (args.includes('route'))
        return answer([
          { dst: 'default', nexthops: [{ dev: 'eth0' }, { dev: 'eth1' }], metric: 50 },
          { dst: '10.0.0.0/24', dev: 'eth0', prefsrc: '10.0.0.5' },
        ])
      return answer([
        {
          ifname: 'lo',
          flags: ['LOOPBACK', 'UP'],
          addr_info: [{ family: 'inet6', local: '::1', prefixlen: 128 }],
        },
        {
          ifname: 'eth0',
          flags: ['UP'],
          addr_info: [{ family: 'inet', local: '10.0.0.5', prefixlen: 24 }, {}],
        },
        { ifname: 'eth1', flags: [] },
        {},
      ])
    }),
  )
  expect(facts).toEqual({
    hostname: 'Edge-1.example',
    interfaces: [
      { name: 'lo', up: true, loopback: true, addresses: [{ address: '::1', prefixLength: 128, family: 6 }] },
      {
        name: 'eth0',
        up: true,
        loopback: false,
        addresses: [{ address: '10.0.0.5', prefixLength: 24, family: 4 }],
      },
      { name: 'eth1', up: false, loopback: false, addresses: [] },
    ],
    routes: [
      { destination: 'default', interface: 'eth0', family: 4, metric: 50, source: undefined },
      { destination: 'default', interface: 'eth1', family: 4, metric: 50, source: undefined },
      { destination: '10.0.0.0/24', interface: 'eth0', family: 4, metric: 0, source: '10.0.0.5' },
    ],
  })
})

it('says which package is missing', () =>
  expect(gatherFacts(host(() => ({ stdout: '', stderr: '', exitCode: 127 })))).rejects.toMatchObject({
    class: 'preflight',
    fix: expect.stringContaining('iproute2'),
  }))

describe('this machine', async () => {
  const { exitCode } = await execa('ip', ['-V'], { reject: false })
  it.skipIf(exitCode !== 0)('has a loopback interface', async () => {
    const real = host(async (args) => {
      const { stdout, stderr, exitCode } = await execa('ip', [...args], { reject: false })
      return { stdout, stderr, exitCode: exitCode ?? 1 }
    })
    const { interfaces } = await gatherFacts(real)
    expect(interfaces.find((one) => one.loopback)?.addresses).toContainEqual({
      address: '127.0.0.1',
      prefixLength: 8,
      family: 4,
    })
  })
})
