import { expect, test } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { endedContainers } from '../../../src/phases/diagnose/containers.ts'

const POD = 'kube-system_kube-apiserver-m1_abc'
const LOGS: Readonly<Record<string, string>> = {
  [`/var/log/pods/${POD}/kube-apiserver/0.log`]:
    '2026-01-02T03:04:05.1Z stderr F starting\n2026-01-02T03:04:25.6Z stderr F gave up\n',
  [`/var/log/pods/${POD}/kube-apiserver/1.log`]: '2026-01-02T03:05:05.1Z stderr F Error: unknown flag: --x\n',
  [`/var/log/pods/${POD}/kube-apiserver/2.log`]: '2026-01-02T03:06:05.1Z stderr F starting\n',
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

test('how long each ended run of a container lasted, and what the last one said', async () => {
  expect(await endedContainers(host)).toEqual([
    { pod: POD, container: 'kube-apiserver', lives: [20.5, 0], words: ['Error: unknown flag: --x'] },
  ])
})
