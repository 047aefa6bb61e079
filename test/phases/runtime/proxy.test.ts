import { beforeEach, expect, it, vi } from 'vitest'
import { systemEnvironment } from '../../../src/host/system-environment.ts'
import { containerd } from '../../../src/phases/runtime/containerd.ts'
import { PROXY_FILE, writeProxy } from '../../../src/phases/runtime/proxy.ts'
import { initOn, joinOn, machine } from '../node/machine.ts'

const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']
beforeEach(() => {
  for (const name of [...NAMES, ...NAMES.map((one) => one.toLowerCase())]) vi.stubEnv(name, undefined)
})

it('containerd gets the proxy, and what of the cluster goes past it', async () => {
  vi.stubEnv('https_proxy', 'http://user:p"w@proxy.example:3128')
  vi.stubEnv('NO_PROXY', 'registry.example, 192.0.2.0/24')
  const ctx = initOn(machine(), { 'control-plane-endpoint': 'api.example:6443' })
  expect(await writeProxy(ctx)).toBe(true)
  const text = (await ctx.host.readFile(PROXY_FILE)) ?? ''
  expect(text).toContain(String.raw`HTTPS_PROXY="http://user:p\"w@proxy.example:3128"`)
  expect(text).not.toContain('HTTP_PROXY=')
  const [, except = ''] = /^NO_PROXY="(.*)"$/m.exec(text) ?? []
  expect(except.split(',')).toEqual([
    ...['registry.example', '192.0.2.0/24', 'localhost', '127.0.0.0/8', '::1', '.svc', '.local'],
    ...['10.0.0.10', 'master-1', '10.244.0.0/16', '10.96.0.0/12', '.cluster.local', 'api.example'],
  ])
  expect((await ctx.host.stat(PROXY_FILE))?.mode).toBe(0o600)
  expect(await writeProxy(ctx)).toBe(false)
})

it('a rerun without the proxy takes it away, and is another run of the phase', async () => {
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9')
  const ctx = joinOn(machine(), { 'enable-edge': false })
  await writeProxy(ctx)
  expect(await ctx.host.readFile(PROXY_FILE)).toContain('10.0.0.1')
  const before = containerd.inputs?.(ctx)
  vi.stubEnv('HTTP_PROXY', undefined)
  expect(containerd.inputs?.(ctx)).not.toEqual(before)
  expect(await writeProxy(ctx)).toBe(true)
  expect(await ctx.host.stat(PROXY_FILE)).toBeUndefined()
})

it('no command of edgeadm gets it: kubeadm would copy it into the static Pods', () => {
  const own = { HTTP_PROXY: 'x', https_proxy: 'x', NO_PROXY: 'x', PATH: '/x' }
  expect(Object.keys(systemEnvironment(own)).filter((name) => /proxy/i.test(name))).toEqual([])
})
