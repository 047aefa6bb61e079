import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EdgeadmError } from '../../src/output/errors.ts'
import { unpackPackage } from '../../src/package/unpack.ts'
import { mutations } from './mutations.ts'
import { newSigner, signedEntries } from './signed.ts'
import { compressed, reporter, tarOf, temporaryFolder } from './synthetic.ts'

test('more than 200 changed packages: each is refused in words, and nothing is written anywhere', async () => {
  const signer = newSigner()
  const parent = temporaryFolder()
  const key = join(parent, 'key.pub')
  writeFileSync(key, signer.publicPem)
  const entries = signedEntries(signer.key)
  const staging = join(parent, 'staging')
  const around = () => readdirSync(parent).sort().join()
  const attempt = async (bytes: Buffer, ending: string): Promise<unknown> => {
    const path = join(parent, `package${ending}`)
    writeFileSync(path, bytes)
    mkdirSync(staging, { recursive: true })
    return unpackPackage(path, staging, { ...reporter(), publicKey: key }).then(
      () => 'taken',
      (error: unknown) => error,
    )
  }
  // The control: the same package unchanged is taken in each form.
  for (const ending of ['.tar.zst', '.tar.gz', '.tar']) {
    const path = join(parent, `right${ending}`)
    writeFileSync(path, compressed(tarOf(entries), ending))
    const into = temporaryFolder()
    await unpackPackage(path, into, { ...reporter(), publicKey: key })
    expect(lstatSync(join(into, 'bin/kubeadm')).isFile()).toBe(true)
  }
  const made = mutations(entries)
  expect(new Set(made.map(({ name }) => name)).size).toBeGreaterThan(200)
  const wrong: string[] = []
  const before = process.memoryUsage().arrayBuffers
  for (const { name, bytes, ending } of made) {
    const outcome = await attempt(bytes, ending)
    if (!(outcome instanceof EdgeadmError) || outcome.class !== 'package')
      wrong.push(
        `${name}: ${outcome instanceof Error ? `${outcome.name}: ${outcome.message}` : String(outcome)}`,
      )
    if (readdirSync(staging).length > 0) wrong.push(`${name}: left ${readdirSync(staging)}`)
    rmSync(staging, { recursive: true })
  }
  expect(wrong).toEqual([])
  expect(around()).toBe(
    'key.pub,package.tar,package.tar.gz,package.tar.zst,right.tar,right.tar.gz,right.tar.zst',
  )
  // Bombs are not held: what is still there is less than one of them.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(24 * 1024 * 1024)
}, 300_000)
