/**
 * A site's files cross the controller's line once, over real SSH, on light machines: what init and join do is a stand-in there,
 * what hosts give each other is edgeadm's own.
 */

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { type ApplyResult, apply } from 'edgeadm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serializeManifest } from '../../src/package/index.ts'
import { inventoryHead, type LightFleet, type LightMachine, lightFleet } from '../fleet/light-machine.ts'
import { tarOf } from '../package/synthetic.ts'

const SIZE = 8_000_000
const NAMES = ['m1', 'w1', 'w2', 'e1', 'e2']
let fleet: LightFleet
let file: string
const machines = new Map<string, LightMachine>()
const proxies: Server[] = []
/** Bytes that went to all hosts. */
let sent = 0

/** The controller's line: what goes to the host is counted. @returns the port to use instead */
async function line(port: number): Promise<number> {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    near.on('data', (chunk) => {
      sent += chunk.length
    })
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  proxies.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

beforeAll(async () => {
  fleet = lightFleet(47_000 + (process.pid % 5000))
  file = join(fleet.directory, 'cluster.yaml')
  const lines: string[] = []
  for (const [index, name] of NAMES.entries()) {
    const machine = await fleet.start(name)
    machines.set(name, machine)
    const role = { m: 'master', w: 'worker', e: 'edge' }[name.charAt(0)]
    const port = await line(machine.port)
    lines.push(
      `    - {name: ${name}, site: shop, address: 127.0.0.1, nodeAddress: 127.0.1.${index + 1}, role: ${role}, ssh: {port: ${port}}}`,
    )
  }
  writeFileSync(
    file,
    [...inventoryHead(fleet), '  sites: [{name: shop}]', '  hosts:', ...lines, ''].join('\n'),
  )
  const manifest = {
    schema: 'edgeadm.io/package/v1alpha1',
    kubernetesVersion: 'v1.33.13',
    edgeVersion: '0.1.0',
    arch: process.arch === 'x64' ? ('amd64' as const) : ('arm64' as const),
    files: [{ path: 'bin/edgecore', size: SIZE, mode: 0o755, sha256: '0'.repeat(64), component: 'kubeedge' }],
    images: [],
    components: [],
  }
  const entries = [
    { path: 'manifest.json', content: serializeManifest(manifest), mode: 0o644 },
    { path: 'bin/edgecore', content: randomBytes(SIZE), mode: 0o755 },
  ]
  writeFileSync(join(fleet.directory, 'package.tar'), tarOf(entries))
})
afterAll(async () => {
  await fleet.stop()
  for (const server of proxies) server.close()
})

async function run(): Promise<ApplyResult & { texts: string }> {
  const texts: string[] = []
  sent = 0
  const result = await apply({
    file,
    folder: join(fleet.directory, 'run'),
    reporting: {
      emit: (event) => texts.push(event.type === 'output' || event.type === 'warning' ? event.text : ''),
      signal: new AbortController().signal,
    },
  })
  expect(
    result.outcomes.map(({ host, state, text }) => `${host.name} ${state === 'done' ? state : text}`),
  ).toEqual(NAMES.map((name) => `${name} done`))
  return { ...result, texts: texts.join('\n') }
}

/** Everything that edgeadm left on all machines, so that the next test begins anew. */
function clean(): void {
  for (const machine of machines.values())
    machine.run(
      'rm -rf /var/lib/edgeadm /var/lib/edgeadm-fleet /etc/kubernetes /usr/local/bin/edgeadm /srv/cluster/*',
    )
}

/** Servers of hosts that still run. */
const serving = () =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((args) => args.includes('package serve') && args.includes('--address=127.0.1.'))

test('the package and the executable cross the line once for a site, and nothing of it stays', async () => {
  const { bytes, texts } = await run()
  expect(texts).not.toContain('it is sent from here')
  expect(sent / SIZE).toBeLessThan(1.2)
  expect(bytes.sent / SIZE).toBeLessThan(1.1)
  expect(Math.round(bytes.relayed / SIZE)).toBe(NAMES.length - 1)
  expect(serving()).toEqual([])
  expect(machines.get('e2')?.run('ls /var/lib/edgeadm-fleet')).toBe('applied.json\nowns-executable\nrun\n')
})

test('a first host that gives something else is not believed: the others are sent the package from here', async () => {
  clean()
  const forge =
    '#!/bin/sh\nfor file; do case $file in */package/*) printf x | dd of="$file" bs=1 seek=99 conv=notrunc 2> /dev/null ;; esac; done\n'
  machines
    .get('m1')
    ?.run(
      `{ printf '${forge.replaceAll('\n', '\\n')}'; tail -n 1 /srv/edgeadm; } > /srv/new; cat /srv/new > /srv/edgeadm`,
    )
  const { bytes, texts } = await run()
  expect(texts.match(/what arrived is not what was asked for/g)?.length).toBeGreaterThan(0)
  expect(bytes.sent / SIZE).toBeGreaterThan(2)
  expect(serving()).toEqual([])
})

test('where no host can serve, each is sent its files from here', async () => {
  clean()
  for (const machine of machines.values()) machine.run("printf '#!/bin/sh\\nexit 1\\n' > /srv/edgeadm")
  const { bytes, texts } = await run()
  expect(texts).toContain('m1 does not serve its site: it ended with exit code 1')
  expect(bytes.relayed).toBe(0)
  expect(sent / SIZE).toBeGreaterThan(NAMES.length)
})
