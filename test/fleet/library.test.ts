/** `import { apply } from 'edgeadm'`, as the documentation shows it. What it does on hosts: test/lab/fleet-site.test.ts. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect, test, vi } from 'vitest'
import { makeKey, startSshd } from './sshd.ts'

vi.setConfig({ testTimeout: 120_000 })

const EXAMPLE = 'test/fleet/example-ci.ts'
const folder = mkdtempSync(join(tmpdir(), 'edgeadm-library-'))
afterAll(() => rmSync(folder, { recursive: true }))

test("the example of the documentation is the one that is tried here, and TypeScript's compiler has checked it", () => {
  const code = readFileSync('docs/fleet.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.slice(4))
    .join('\n')
  const lines = readFileSync(EXAMPLE, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  expect(code.split('\n').filter((line) => lines.includes(line))).toEqual(lines)
})

test('it imports edgeadm by its name, and an error says what is wrong with the host', async () => {
  const sshd = await startSshd()
  try {
    const file = join(folder, 'cluster.yaml')
    // A login that the host refuses: it is known at once, and nothing was changed.
    const stranger = makeKey(folder, 'stranger')
    writeFileSync(
      file,
      `apiVersion: edgeadm.io/v1alpha1
kind: Cluster
metadata: {name: ci}
spec:
  ssh: {user: ${sshd.user}, port: ${sshd.port}, jump: none, identityFile: ${stranger}, hostKey: "${sshd.hostKey}"}
  hosts:
    - {name: m1, address: 127.0.0.1, role: master}
`,
    )
    const child = spawn(process.execPath, [EXAMPLE, file], {
      env: { ...process.env, XDG_CACHE_HOME: folder },
    })
    const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'close')])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('EdgeadmError: m1 is a master and does not answer')
    // The typed event of the reset that follows.
    expect(stderr).toContain(`m1: failed: ${sshd.user}@127.0.0.1:${sshd.port} refuses the login`)
  } finally {
    await sshd.stop()
  }
})
