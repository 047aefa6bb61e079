import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type KeyedCertificate, makeCa } from '../../src/kubernetes/certificates.ts'
import { discover } from '../../src/kubernetes/discovery-file.ts'
import { makeKubeconfig } from '../../src/kubernetes/kubeconfig.ts'
import { startApiServer } from './api-server.ts'

let directory: string
let ca: KeyedCertificate
let server: Awaited<ReturnType<typeof startApiServer>>
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeadm-discovery-'))
  ca = await makeCa({ commonName: 'kubernetes', days: 1 })
  server = await startApiServer({ ca, tokens: [], status: 403 })
})
afterAll(async () => {
  await server.close()
  await rm(directory, { recursive: true })
})

const options = { signal: AbortSignal.timeout(10_000), timeout: 2000 }
const given = async (name: string, text: string) => {
  const path = join(directory, name)
  await writeFile(path, text)
  return discover({ kind: 'file', path }, options)
}
const url = () => `https://127.0.0.1:${server.port}`

it('asks the master with the CA of the file, whatever it lets be read', async () => {
  const kubeconfig = makeKubeconfig({ server: url(), caPem: ca.certificatePem }, 'u', { token: 't' })
  expect(await given('good', kubeconfig)).toEqual({ caPem: ca.certificatePem, server: url(), kubeconfig })
})

it('finds the CA in a file beside it', async () => {
  await writeFile(join(directory, 'ca.crt'), ca.certificatePem)
  const text = `clusters: [{name: a, cluster: {server: "${url()}", certificate-authority: ca.crt}}]`
  expect(await given('beside', text)).toMatchObject({ caPem: ca.certificatePem })
})

it('trusts no other CA', async () => {
  const other = await makeCa({ commonName: 'kubernetes', days: 1 })
  const text = makeKubeconfig({ server: url(), caPem: other.certificatePem }, 'u', {})
  await expect(given('other', text)).rejects.toMatchObject({ class: 'discovery' })
})

it('refuses what is no such file', async () => {
  await expect(given('bad', 'hello')).rejects.toMatchObject({ class: 'usage' })
  await expect(given('no-ca', `clusters: [{cluster: {server: "${url()}"}}]`)).rejects.toThrow(
    'names no certificate authority',
  )
  await expect(discover({ kind: 'file', path: '/nonexistent' }, options)).rejects.toThrow(
    'there is no such file',
  )
  // Served by the same master, whose certificate this machine's store does not know.
  await expect(discover({ kind: 'file', path: `${url()}/x` }, options)).rejects.toMatchObject({
    class: 'discovery',
  })
})
