import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { RUN_VARIABLE } from '../../src/host/orphans.ts'

const ORPHANS = new URL('../../src/host/orphans.ts', import.meta.url).pathname

/** Runs a script in a namespace of processes of its own, where nobody else's run can be met. Resolves with what it prints. */
async function inNamespace(script: string): Promise<unknown> {
  const text = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { endOrphans, ownRun } from '${ORPHANS}'
const start = async (file, args, run) => {
  const child = spawn(file, args, { env: { ...process.env, ${RUN_VARIABLE}: run }, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}
const { signal } = new AbortController()
${script}
process.exit(0)`
  const node = [process.execPath, '--input-type=module', '--eval', text]
  const child = spawn('unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'exit')
  return JSON.parse(output)
}

test('ends what a killed run left, and nothing of this run', async () => {
  const result = await inNamespace(`
const orphan = await start('sh', ['-c', 'echo ready; (sleep 60)'], '999999:1')
const stubborn = await start('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'], '999999:1')
const own = await start('sh', ['-c', 'echo ready; sleep 60'], await ownRun())
const ended = Promise.all([once(orphan, 'exit'), once(stubborn, 'exit')])
await endOrphans(signal)
console.log(JSON.stringify([...(await ended).map(([, signal]) => signal), own.exitCode ?? own.signalCode]))`)
  expect(result).toEqual(['SIGTERM', 'SIGKILL', null])
}, 30_000)

test('leaves the commands of another run alone as long as that lives: status and others hold no lock', async () => {
  const result = await inNamespace(`
const run = \`
import { spawn } from 'node:child_process'
import { ownRun } from '${ORPHANS}'
spawn('sh', ['-c', 'echo ready; exec sleep 60'], { env: { ...process.env, ${RUN_VARIABLE}: await ownRun() }, stdio: 'inherit' })
setInterval(() => {}, 1000)\`
const other = await start(process.execPath, ['--input-type=module', '--eval', run], undefined)
const child = () => execFileSync('sh', ['-c', 'grep -lsz "^sleep" /proc/[0-9]*/cmdline | wc -l'], { encoding: 'utf8' }).trim()
const { execFileSync } = await import('node:child_process')
await endOrphans(signal)
const before = child()
other.kill('SIGKILL')
await once(other, 'exit')
await endOrphans(signal)
console.log(JSON.stringify([before, child()]))`)
  expect(result).toEqual(['1', '0'])
}, 30_000)

test('a process that does not end is named after 10 seconds, and Ctrl-C is heard meanwhile', async () => {
  // No signal reaches it, as if it were in state D.
  const result = await inNamespace(`
const orphan = await start('sh', ['-c', 'echo ready; exec sleep 60'], '999999:1')
process.kill = () => true
const begun = Date.now()
const early = await endOrphans(AbortSignal.timeout(1000)).catch((error) => error.name)
const earlyMs = Date.now() - begun
const error = await endOrphans(signal).catch((error) => error)
console.log(JSON.stringify([early, earlyMs < 3000, error.class, error.details[0].replace(/\\d+/, 'N')]))`)
  expect(result).toEqual([
    'TimeoutError',
    true,
    'preflight',
    expect.stringMatching(/^pid N, state S: sleep 60/),
  ])
}, 30_000)
