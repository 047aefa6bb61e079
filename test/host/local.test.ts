import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test, vi } from 'vitest'
import { LocalMachine } from '../../src/host/local.ts'

const LOCAL = new URL('../../src/host/local.ts', import.meta.url).pathname

test('commands get a fixed environment: no proxy, language or PATH of the caller', async () => {
  vi.stubEnv('PATH', '/usr/bin:/bin')
  vi.stubEnv('LANG', 'tr_TR.UTF-8')
  for (const name of ['HTTPS_PROXY', 'http_proxy', 'NO_PROXY', 'KUBECONFIG', 'LD_PRELOAD'])
    vi.stubEnv(name, 'x')
  const { stdout } = await new LocalMachine().execute('env', [], { env: { EXTRA: 'yes' } })
  const names = stdout.split('\n').map((line) => line.split('=')[0])
  expect(names.sort()).toEqual(
    [
      'EDGEADM_RUN',
      'EXTRA',
      'HOME',
      'LC_ALL',
      'PATH',
      ...['TERM', 'TZ'].filter((name) => process.env[name]),
    ].sort(),
  )
  expect(stdout).toMatch(/^LC_ALL=C\.UTF-8$/m)
  expect(stdout).toMatch(/^PATH=.*:\/usr\/sbin:/m)
})

test('programs of /usr/sbin are found whatever the caller has in PATH', async () => {
  vi.stubEnv('PATH', '/nowhere')
  expect(await new LocalMachine().execute('sysctl', ['-n', 'kernel.ostype'])).toMatchObject({
    exitCode: 0,
    stdout: 'Linux',
  })
})

test('commands run although the working directory was removed', async () => {
  const script = `
import { mkdtempSync, rmdirSync } from 'node:fs'
const gone = mkdtempSync('/tmp/edgeadm-gone-')
process.chdir(gone)
rmdirSync(gone)
const { LocalMachine } = await import('${LOCAL}')
process.stdout.write(JSON.stringify(await new LocalMachine().execute('pwd', [])))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'exit')
  expect(JSON.parse(output)).toMatchObject({ exitCode: 0, stdout: '/' })
})

test.runIf(process.getuid?.() === 0)(
  'a file that is replaced keeps its owner and extended attributes',
  async () => {
    // Not below /tmp: a tmpfs has no user attributes in older kernels.
    const directory = await mkdtemp(join('/var/tmp', 'edgeadm-local-'))
    try {
      const path = join(directory, 'hosts')
      await writeFile(path, 'before')
      await chown(path, 1, 2)
      const attribute = `import os, sys
os.setxattr(sys.argv[1], 'user.label', b'theirs')`
      const hasAttribute = (await execa('python3', ['-c', attribute, path], { reject: false })).exitCode === 0
      await utimes(path, 1, 1)
      await new LocalMachine().writeFile(path, 'after', 0o640)
      const now = await stat(path)
      expect([now.uid, now.gid, now.mode & 0o7777]).toEqual([1, 2, 0o640])
      expect(now.mtimeMs).toBeGreaterThan(1e12)
      if (hasAttribute) {
        const read = `import os, sys
print(os.getxattr(sys.argv[1], 'user.label').decode())`
        expect((await execa('python3', ['-c', read, path])).stdout).toBe('theirs')
      }
    } finally {
      await rm(directory, { recursive: true })
    }
  },
)

test('a command ends with all parts of its pipe when its run is stopped', async () => {
  const stop = new AbortController()
  const mark = `${process.pid}.5`
  const running = new LocalMachine(stop.signal).execute('sh', ['-c', `sleep ${mark} | sleep ${mark}; true`])
  const count = async (): Promise<number> =>
    Number((await new LocalMachine().execute('pgrep', ['-cfx', `sleep ${mark}`])).stdout)
  await vi.waitUntil(async () => (await count()) === 2, { timeout: 15_000 })
  stop.abort(new Error('stopped'))
  await expect(running).rejects.toThrow('stopped')
  await vi.waitUntil(async () => (await count()) === 0, { timeout: 15_000 })
})
