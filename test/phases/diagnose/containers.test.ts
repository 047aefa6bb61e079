import { expect, test } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { restartedContainers } from '../../../src/phases/diagnose/containers.ts'

const POD = 'kube-system_kube-apiserver-m1_abc'
const LOGS: Readonly<Record<string, string>> = {
  // The kubelet has removed 1.log.
  [`/var/log/pods/${POD}/kube-apiserver/0.log`]:
    '2026-01-02T03:04:05.1Z stderr F starting\n2026-01-02T03:04:25.6Z stderr F gave up\n',
  [`/var/log/pods/${POD}/kube-apiserver/2.log`]: '2026-01-02T03:05:05.1Z stderr F Error: unknown flag: --x\n',
  '/var/log/pods/kube-system_etcd-m1_def/etcd/0.log': '2026-01-02T03:04:05.1Z stderr F ready\n',
}

const host = {
  list: async (path: string) => [
    ...new Set(
      Object.keys(LOGS).flatMap((file) =>
        file.startsWith(`${path}/`) ? (file.slice(path.length + 1).split('/')[0] ?? []) : [],
      ),
    ),
  ],
  readFile: async (path: string) => LOGS[path],
} as unknown as Host

test('how long the last two runs of a restarted container lasted, and what they said', async () => {
  expect(await restartedContainers(host)).toEqual([
    {
      pod: POD,
      container: 'kube-apiserver',
      restarts: 2,
      latest: {
        lastAt: Date.UTC(2026, 0, 2, 3, 5, 5, 100),
        seconds: 0,
        words: ['Error: unknown flag: --x'],
      },
      previous: undefined,
    },
  ])
})
