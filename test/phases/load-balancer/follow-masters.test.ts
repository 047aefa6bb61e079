/** The real script, by its `write`: what a list of masters makes of the files of haproxy and keepalived. */

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { render } from '../../../src/templates.ts'

let directory = ''
let script = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeadm-follow-'))
  script = join(directory, 'script')
  await writeFile(script, rendered('10.0.0.11', undefined))
  await chmod(script, 0o755)
})
afterEach(() => rm(directory, { recursive: true }))

const rendered = (address: string, firewall: string | undefined) =>
  render('load-balancer/follow-masters', {
    directory,
    address,
    firewall,
    interface: 'eth0',
    streamPort: 10003,
    family: 4,
    kubectl: '/bin/false',
    // No container runs here, so there is nobody to be told.
    ctr: '/bin/true',
    ownApiServer: 'https://10.0.0.11:6443',
  })
const write = (input: string) => execa(script, ['write'], { input })
const file = (name: string) => readFile(join(directory, name), 'utf8')

it('makes a backend of each master and a peer of each other one', async () => {
  await write('m3 10.0.0.13:6443\nm1 10.0.0.11:6443\nm2 10.0.0.12:7443\n')
  expect(await file('servers.cfg')).toBe(
    'backend masters from api\n  server m1 10.0.0.11:6443 check\n  server m2 10.0.0.12:7443 check\n  server m3 10.0.0.13:6443 check\n',
  )
  expect(await file('peers.conf')).toBe('unicast_src_ip 10.0.0.11\nunicast_peer {\n10.0.0.12\n10.0.0.13\n}\n')
})

it('has no peers on a master that is alone, and takes away those that leave', async () => {
  await write('m1 10.0.0.11:6443\nm2 10.0.0.12:6443\n')
  await write('m1 10.0.0.11:6443\n')
  expect(await file('peers.conf')).toBe('')
  expect(await file('servers.cfg')).not.toContain('m2')
})

it('keeps the lists when there is no master at all, and touches nothing that is right', async () => {
  await write('m1 10.0.0.11:6443\nm2 10.0.0.12:6443\n')
  const before = await stat(join(directory, 'servers.cfg'))
  await write('\n')
  await write('m2 10.0.0.12:6443\nm1 10.0.0.11:6443\n')
  expect((await stat(join(directory, 'servers.cfg'))).ino).toBe(before.ino)
  expect(await file('servers.cfg')).toContain('m2')
  expect((await readdir(directory)).sort()).toEqual(['peers.conf', 'script', 'servers.cfg'])
})

it('takes IPv6 addresses', async () => {
  await writeFile(script, rendered('fd00::11', undefined))
  await write('m1 [fd00::11]:6443\nm2 [fd00::12]:6443\n')
  expect(await file('servers.cfg')).toContain('  server m2 [fd00::12]:6443 check\n')
  expect(await file('peers.conf')).toBe('unicast_src_ip fd00::11\nunicast_peer {\nfd00::12\n}\n')
})

it.each(['firewalld', 'ufw'])('is a script that sh reads, with %s', async (firewall) => {
  await writeFile(script, rendered('10.0.0.11', firewall))
  await execa('sh', ['-n', script])
})
