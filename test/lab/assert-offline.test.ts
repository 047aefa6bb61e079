/** `--assert-offline`: an installation from the package reaches for nothing outside, and who does reach is named. */

import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { diffMachine } from '../../src/lab/index.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { runEdgeadm } from './edgeadm-run.ts'
import { useLab } from './machines.ts'

const lab = useLab({ masters: 1, workers: 1, edges: 1, executable: EXECUTABLE, package: PACKAGE })
const COMMON = [
  '--config=/root/cluster.yaml',
  `--install-pkg-path=/root/${basename(PACKAGE)}`,
  '--assert-offline',
]
const TABLE = 'nft list table inet edgeadm-outside'

const joinWords = async (): Promise<string[]> => {
  const line = await lab.run('master-1', ['edgeadm', 'token', 'create', '--print-join-command'])
  return /edgeadm (join .*)/.exec(line)?.[1]?.trim().split(/\s+/) ?? []
}
const routes = (machine: string) => lab.run(machine, ['ip', 'route', 'show', 'default'])

describe('--assert-offline', () => {
  test('is refused where nothing could be seen', async () => {
    const route = (await routes('master-1')).trim()
    await lab.run('master-1', ['ip', 'route', 'del', 'default'])
    const result = await runEdgeadm(lab, 'master-1', ['init', ...COMMON])
    await lab.run('master-1', ['sh', '-c', `ip route add ${route}`])
    expect(result.exitCode).toBe(3)
    expect(result.error?.details.join('\n')).toMatch(/AssertOffline.*no default route/)
    const changed = (await diffMachine(lab.name, 'master-1')).map(({ path }) => path)
    expect(changed.filter((path) => !/^\/var\/log\/(journal|edgeadm)/.test(path))).toEqual([])
  })

  test('a master, with the cloud side of the edge, is set up from the package alone', async () => {
    const result = await runEdgeadm(lab, 'master-1', ['init', ...COMMON])
    expect(result.exitCode, [result.error?.message, ...(result.error?.details ?? [])].join('\n')).toBe(0)
    expect((await lab.probe('master-1', ['sh', '-c', TABLE])).exitCode).not.toBe(0)
  })

  test('an edge node is, too', async () => {
    const result = await runEdgeadm(lab, 'edge-1', [...(await joinWords()), ...COMMON])
    expect(result.exitCode, [result.error?.message, ...(result.error?.details ?? [])].join('\n')).toBe(0)
  })

  test('a program that reaches for outside fails the run at its end, and the same command then goes on', async () => {
    const join = [...(await joinWords()), '--enable-edge=false', ...COMMON]
    const script = 'while :; do timeout 2 bash -c "echo x > /dev/tcp/203.0.113.9/443"; done'
    await lab.run('worker-1', ['systemd-run', '--quiet', '--unit=reaches-out', 'bash', '-c', script])
    const failed = await runEdgeadm(lab, 'worker-1', join)
    await lab.run('worker-1', ['systemctl', 'stop', 'reaches-out'])
    expect(failed.exitCode).toBe(7)
    expect(failed.error?.message).toMatch(/worker-1 is set up, but programs on it tried to reach/)
    expect(failed.error?.details.join('\n')).toMatch(
      /^bash \(process \d+\) to 203\.0\.113\.9:443\/tcp: \d+ attempts?$/m,
    )
    // Nothing else than that, and where the log is.
    const others = failed.error?.details.filter((line) => !line.includes('203.0.113.9')) ?? []
    expect(others.map((line) => line.replace(/\/.*/, ''))).toEqual(['log: '])
    const again = await runEdgeadm(lab, 'worker-1', join)
    expect(again.exitCode, again.error?.message).toBe(0)
  })

  test('reset takes the table of a killed run with it', async () => {
    await lab.run('worker-1', ['edgeadm', 'reset', '--force'])
    await lab.run('master-1', ['edgeadm', 'reset', '--force', '--remove-node', 'worker-1'])
    const join = [...(await joinWords()), '--enable-edge=false', ...COMMON]
    const killed = await runEdgeadm(lab, 'worker-1', join, {
      signal: { name: 'KILL', phase: 'runtime/containerd' },
    })
    expect(killed.exitCode).toBe(137)
    expect((await lab.probe('worker-1', ['sh', '-c', TABLE])).exitCode).toBe(0)
    await lab.run('worker-1', ['edgeadm', 'reset', '--force'])
    expect((await lab.probe('worker-1', ['sh', '-c', TABLE])).exitCode).not.toBe(0)
  })
})
