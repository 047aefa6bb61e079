import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { RUN_VARIABLE } from '../../src/host/orphans.ts'

/** In a namespace of processes of its own, where nobody else's run can be met. */
const SCRIPT = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { endOrphans } from '${new URL('../../src/host/orphans.ts', import.meta.url).pathname}'
const start = async (file, args, run) => {
  const child = spawn(file, args, { env: { ...process.env, ${RUN_VARIABLE}: run }, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}
const orphan = await start('sh', ['-c', 'echo ready; (sleep 60)'], '999999')
const stubborn = await start('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'], '999999')
const own = await start('sh', ['-c', 'echo ready; sleep 60'], String(process.pid))
const ended = Promise.all([once(orphan, 'exit'), once(stubborn, 'exit')])
await endOrphans()
console.log(JSON.stringify([...(await ended).map(([, signal]) => signal), own.exitCode ?? own.signalCode]))
process.exit(0)
`

test('ends what a killed run left, and nothing of this run', async () => {
  const node = ['--input-type=module', '--eval', SCRIPT]
  const child = spawn(
    'unshare',
    ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, ...node],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'exit')
  expect(JSON.parse(text)).toEqual(['SIGTERM', 'SIGKILL', null])
}, 30_000)
