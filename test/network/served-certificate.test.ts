import { X509Certificate } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { expect, test } from 'vitest'
import { issueCertificate, makeCa } from '../../src/kubernetes/certificates.ts'
import { servedCertificate } from '../../src/network/served-certificate.ts'

const { signal } = new AbortController()

test('the certificate of a server that wants one of its clients, and whose own has ended', async () => {
  const ca = await makeCa({ commonName: 'etcd-ca', days: 1 })
  const made = await issueCertificate(ca, { commonName: 'etcd', usages: ['server'], days: -1 / 1440 })
  const server = createServer({
    cert: made.certificatePem,
    key: made.keyPem,
    ca: ca.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const shown = await servedCertificate('127.0.0.1', port, signal)
    expect(shown.serialNumber).toBe(new X509Certificate(made.certificatePem).serialNumber)
  } finally {
    server.close()
  }
})

test('nobody there is an error', async () => {
  await expect(servedCertificate('127.0.0.1', 1, signal)).rejects.toThrow('ECONNREFUSED')
})
