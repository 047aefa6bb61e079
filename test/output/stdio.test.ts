import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { expect, test } from 'vitest'

const STDIO = new URL('../../src/output/stdio.ts', import.meta.url).pathname

/** Writes to both streams for a while and ends with 7, as a run that failed would. */
const WRITER = `
import { surviveLostOutput } from '${STDIO}'
surviveLostOutput()
for (let line = 0; line < 20; line++) {
  process.stdout.write('out\\n')
  process.stderr.write('err\\n')
  await new Promise((resolve) => setTimeout(resolve, 10))
}
process.exitCode = 7`
const NODE = [process.execPath, '--input-type=module', '--eval', WRITER]

test('readers that leave do not end a run, and its exit code stays', async () => {
  const script = 'set -o pipefail; ("$@" 2>&1; echo $? >&3) | head -1'
  const child = spawn('bash', ['-c', script, 'bash', ...NODE], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  let code = ''
  child.stdio[3]?.on('data', (chunk) => {
    code += chunk
  })
  await once(child, 'close')
  expect(code.trim()).toBe('7')
})

test('a full disk under standard output is said once on standard error', async () => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(NODE[0] as string, NODE.slice(1), { stdio: ['ignore', full, 'pipe'] })
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  expect(code).toBe(7)
  expect(stderr.match(/^W standard output cannot be written: .*ENOSPC.*$/gm)).toHaveLength(1)
})

test('closed streams are no error', async () => {
  const child = spawn('bash', ['-c', '"$@" <&- >&- 2>&-', 'bash', ...NODE], { stdio: 'ignore' })
  const [code] = await once(child, 'close')
  expect(code).toBe(7)
})
