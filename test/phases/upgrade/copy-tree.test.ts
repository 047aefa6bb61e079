import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { copyTree } from '../../../src/phases/upgrade/copy-tree.ts'
import { temporaryFolder } from '../../package/synthetic.ts'

test('a folder is copied without the socket that a killed edgecore left in it', async () => {
  const from = join(temporaryFolder(), 'kubeedge')
  mkdirSync(join(from, 'certs'), { recursive: true })
  writeFileSync(join(from, 'certs/server.crt'), 'a certificate')
  symlinkSync('certs/server.crt', join(from, 'link'))
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(from, 'dmi.sock'), resolve))
  const to = join(temporaryFolder(), 'copy')
  await copyTree(from, to)
  server.close()
  expect(readdirSync(to, { recursive: true }).sort()).toEqual(['certs', 'certs/server.crt', 'link'])
})
