/** A whole `apply` over `ssh.transport: openssh`, on light machines with a stand-in for edgeadm. Part of `npm run test:long`. */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { apply } from '../../src/fleet/index.ts'
import { makePackage } from '../bench/fleet/package.ts'
import { inventoryHead, lightFleet } from '../fleet/light-machine.ts'

const ROLES: Readonly<Record<string, string>> = { m1: 'master', w1: 'worker', w2: 'worker', e1: 'edge' }
const fleet = lightFleet(53_000 + (process.pid % 5000))
afterAll(() => fleet.stop())

test('a site is set up, the second apply changes nothing, and no connection stays', async () => {
  const temporary = join(fleet.directory, 'tmp')
  mkdirSync(temporary)
  vi.stubEnv('TMPDIR', temporary)
  const hosts = await Promise.all(
    Object.entries(ROLES).map(async ([name, role], index) => {
      const { address, port } = await fleet.start(name, { address: `127.21.0.${index + 1}` })
      return `    - {name: ${name}, role: ${role}, address: ${address}, nodeAddress: ${address}, site: shop, ssh: {port: ${port}, transport: openssh}}`
    }),
  )
  const file = join(fleet.directory, 'cluster.yaml')
  const head = inventoryHead(fleet).map((line) =>
    line.startsWith('  package:') ? `  package: ${makePackage(fleet.directory, 2).path}` : line,
  )
  writeFileSync(file, [...head, '  sites: [{name: shop}]', '  hosts:', ...hosts, ''].join('\n'))
  const run = async () => {
    const { outcomes, bytes } = await apply({
      file,
      folder: join(fleet.directory, 'run'),
      reporting: { emit: () => {}, signal: new AbortController().signal },
    })
    return { said: outcomes.map(({ host, state, text }) => `${host.name} ${state}: ${text}`), bytes }
  }
  const first = await run()
  expect(first.said).toEqual([
    'm1 done: edgeadm init: the first master',
    'w1 done: edgeadm join: a worker',
    'w2 done: edgeadm join: a worker',
    'e1 done: edgeadm join: an edge node',
  ])
  expect(Math.round(first.bytes.relayed / first.bytes.sent)).toBe(3)
  expect((await run()).said).toEqual(
    Object.keys(ROLES).map((name) => `${name} unchanged: as the file wants it`),
  )
  const connections = () => readdirSync(temporary).filter((name) => name.startsWith('edgeadm-ssh-'))
  await vi.waitUntil(() => connections().length === 0, { timeout: 10_000 })
})
