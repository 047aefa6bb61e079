import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dryRunHosts } from '../../src/host/dry-run.ts'
import { LocalMachine } from '../../src/host/local.ts'
import type { NodeContext } from '../../src/phases/context.ts'
import { isInstalled } from '../../src/phases/install.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edgeadm-install-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test.each([
  ['whole', Buffer.from('program'), true],
  ['empty, as a power cut may leave it', Buffer.alloc(0), false],
  ['of zeros', Buffer.alloc(7), false],
  ['of another version', Buffer.from('prog-am'), false],
])('a program that is %s', async (_, content, expected) => {
  const files = ['bin/kubeadm', 'bin/kubelet'].map((path) => ({
    path,
    size: 7,
    sha256: createHash('sha256').update('program').digest('hex'),
  }))
  writeFileSync(join(directory, 'kubeadm'), 'program')
  writeFileSync(join(directory, 'kubelet'), content)
  const host = dryRunHosts(new LocalMachine(), () => {})('kubernetes/kubelet')
  const ctx = { host, manifest: { files } } as unknown as NodeContext
  expect(await isInstalled(ctx, 'bin/', (name) => join(directory, name))).toBe(expected)
})
