import { describe, expect, test } from 'vitest'
import type { InitFlags } from '../../../../src/config/flags.ts'
import { resolveInit } from '../../../../src/config/load.ts'
import type { Host } from '../../../../src/host/host.ts'
import type { NodeContext } from '../../../../src/phases/context.ts'
import { checkMesh, hardLimit, nameservers } from '../../../../src/phases/edge/mesh/checks.ts'
import { input } from '../../../config/fixtures.ts'

const limits = (files: number | string) =>
  `Limit  Soft Limit  Hard Limit  Units\nMax processes  1  1  processes\nMax open files            1024                 ${files}                files     \n`
const status = (capabilities: string) => `Name:\tsystemd\nCapEff:\t${capabilities}\n`
const ALL = '000001ffffffffff'
const WITHOUT_RESOURCE = '000001fffeffffff'

/** A machine with these files; containerd runs if its process number is not 0. */
async function problemsOf(
  files: Readonly<Record<string, string>>,
  { containerd = 0, flags = {}, image = 'docker.io/kubeedge/edgemesh-agent:v1' } = {} as {
    containerd?: number
    flags?: InitFlags
    image?: string
  },
): Promise<string[]> {
  const host = {
    readFile: async (path: string) => files[path],
    probe: async () => ({ stdout: `${containerd}\n`, stderr: '', exitCode: 0 }),
  } as unknown as Host
  const settings = resolveInit(input(flags))
  const manifest = { images: [{ name: image }] }
  return (await checkMesh({ host, settings, manifest } as unknown as NodeContext)).map(({ check }) => check)
}

const good = {
  '/proc/1/limits': limits(524288),
  '/proc/1/status': status(ALL),
  '/proc/sys/fs/nr_open': '1048576\n',
}

describe('open files', () => {
  const few = { ...good, '/proc/1/limits': limits(20000) }

  test('a systemd that may raise its limit gives containerd what it asks for', async () =>
    expect(await problemsOf(few)).toEqual([]))

  test('one that may not gives what it has', async () =>
    expect(await problemsOf({ ...few, '/proc/1/status': status(WITHOUT_RESOURCE) })).toEqual([
      'EdgeMeshOpenFiles',
    ]))

  test("the kernel's own limit holds for all", async () =>
    expect(await problemsOf({ ...few, '/proc/sys/fs/nr_open': '50000' })).toEqual(['EdgeMeshOpenFiles']))

  test('a containerd that runs has its own', async () => {
    const running = (files: number) => ({ ...good, '/proc/77/limits': limits(files) })
    expect(await problemsOf(running(63999), { containerd: 77 })).toEqual(['EdgeMeshOpenFiles'])
    expect(await problemsOf(running(64000), { containerd: 77 })).toEqual([])
  })

  test('unlimited is enough', () => {
    expect(hardLimit(limits('unlimited'))).toBe(Number.POSITIVE_INFINITY)
    expect(hardLimit('')).toBeUndefined()
  })
})

test("a resolv.conf that points to EdgeMesh's own DNS", async () => {
  const text = '# nameserver 1.1.1.1\nsearch example.org\nnameserver 169.254.96.16\n'
  expect(nameservers(text)).toEqual(['169.254.96.16'])
  expect(await problemsOf({ ...good, '/etc/resolv.conf': text })).toEqual(['EdgeMeshResolvConf'])
})

test('a cluster without EdgeMesh needs none of it', async () => {
  expect(await problemsOf({}, { image: 'example.org/pause:v1' })).toEqual([])
  expect(await problemsOf({}, { flags: { edgemesh: false } })).toEqual([])
  expect(await problemsOf({}, { flags: { 'enable-edge': false } })).toEqual([])
})
