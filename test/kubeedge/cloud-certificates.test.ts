import { expect, test } from 'vitest'
import { cloudCertificates, expiryWarnings } from '../../src/kubeedge/cloud-certificates.ts'
import { certificateDer, issueCertificate, makeCa } from '../../src/kubernetes/certificates.ts'
import { withNames } from '../../src/phases/edge/certificates.ts'

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64')

async function secrets(days: { ca: number; server: number; stream: number }) {
  const ca = await makeCa({ commonName: 'KubeEdge', days: days.ca })
  const issue = (lifetime: number) =>
    issueCertificate(ca, { commonName: 'KubeEdge', usages: ['server'], days: lifetime })
  const server = await issue(days.server)
  const stream = await issue(days.stream)
  const secret = (name: string, data: Record<string, string>) => ({ metadata: { name }, data })
  return [
    secret('casecret', { cadata: base64(certificateDer(ca.certificatePem)) }),
    secret('cloudcoresecret', { cloudcoredata: base64(certificateDer(server.certificatePem)) }),
    secret('cloudcore', { 'stream.crt': base64(stream.certificatePem) }),
  ]
}

test('certificates with more than 60 days left need nothing', async () => {
  expect(expiryWarnings(cloudCertificates(await secrets({ ca: 3650, server: 61, stream: 61 })))).toEqual([])
  expect(expiryWarnings(cloudCertificates([]))).toEqual([])
  expect(cloudCertificates([{ metadata: { name: 'casecret' }, data: { cadata: 'AAAA' } }]).ca).toBeUndefined()
})

test('each that ends soon or has ended is told, with what to do', async () => {
  const warnings = expiryWarnings(cloudCertificates(await secrets({ ca: 59, server: 30, stream: -1 / 1440 })))
  expect(warnings).toHaveLength(3)
  expect(warnings[0]).toMatch(/^CloudCore's CA has 58 days left, until .*: edge nodes trust no other CA/)
  expect(warnings[1]).toMatch(
    /^CloudCore's server certificate has 29 days left, .*init phase edge\/certificates/,
  )
  expect(warnings[2]).toMatch(/^CloudCore's stream certificate expired on \d{4}-\d\d-\d\d: /)
})

test('a new certificate keeps the names of the old one', () => {
  const names = { ip: ['192.0.2.1'], dns: ['a.example.org'] }
  expect(withNames(names)).toEqual(names)
  expect(withNames(names, 'DNS:b.example.org, IP Address:192.0.2.1, IP Address:2001:DB8::1')).toEqual({
    ip: ['192.0.2.1', '2001:DB8::1'],
    dns: ['a.example.org', 'b.example.org'],
  })
})
