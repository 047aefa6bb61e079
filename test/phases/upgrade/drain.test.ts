import { expect, test } from 'vitest'
import type { Output, RunOptions } from '../../../src/host/host.ts'
import type { UpgradeContext } from '../../../src/phases/upgrade/context.ts'
import { drain } from '../../../src/phases/upgrade/drain.ts'

const pod = (uid: string, owner: string) => ({
  metadata: {
    uid,
    name: `web-${uid}`,
    namespace: 'default',
    ownerReferences: [{ kind: owner, controller: true }],
  },
  spec: { containers: [] },
  status: { phase: 'Running' },
})

test('a Pod that tolerates a cordoned node comes back to it, and the drain ends all the same', async () => {
  const on = (...pods: unknown[]) => JSON.stringify({ items: pods })
  const daemon = pod('d', 'DaemonSet')
  let pods = [daemon, pod('1', 'ReplicaSet')]
  const changes: string[] = []
  const answer = (stdout: string): Output => ({ exitCode: 0, stdout, stderr: '' })
  const host = {
    readFile: async () => undefined,
    probe: async (_: string, args: readonly string[]) =>
      answer(args.includes('pods') ? on(...pods) : JSON.stringify({ spec: {} })),
    run: async (_: string, _args: readonly string[], { title }: RunOptions) => {
      changes.push(title)
      // The new one is there as soon as the old one goes.
      if (title.startsWith('evict')) pods = [daemon, pod('2', 'ReplicaSet')]
      return answer('')
    },
  }
  await drain.run({
    host,
    settings: { role: 'worker', node: { name: 'worker-1' } },
    upgrade: { drainTimeout: 10_000 },
    signal: new AbortController().signal,
    emit: () => {},
  } as unknown as UpgradeContext)
  expect(changes).toEqual(['cordon worker-1', 'evict Pod default/web-1'])
})
