import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { caCertHash, parseCertificates } from '../../src/kubernetes/ca-pins.ts'
import {
  certificateDer,
  issueCertificate,
  keyDer,
  makeCa,
  makeCsr,
} from '../../src/kubernetes/certificates.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeadm-certificates-'))
})
afterAll(() => rm(directory, { recursive: true }))

const openssl = async (...args: string[]) => (await execa('openssl', args)).stdout

it('issues certificates that OpenSSL verifies', async () => {
  const ca = await makeCa({ commonName: 'edge-ca', organizations: ['edge'], days: 3650 })
  const leaf = await issueCertificate(ca, {
    commonName: 'system:node:edge-1',
    organizations: ['system:nodes'],
    names: { dns: ['cloudcore', '*.example'], ip: ['10.0.0.1', 'fd00::1'] },
    usages: ['server', 'client'],
    days: 30,
  })
  await writeFile(join(directory, 'ca.pem'), ca.certificatePem)
  await writeFile(join(directory, 'leaf.pem'), leaf.certificatePem)
  const purpose = (name: string) =>
    openssl(
      'verify',
      '-x509_strict',
      '-purpose',
      name,
      '-CAfile',
      join(directory, 'ca.pem'),
      join(directory, 'leaf.pem'),
    )
  expect(await purpose('sslserver')).toContain('leaf.pem: OK')
  expect(await purpose('sslclient')).toContain('leaf.pem: OK')

  const certificate = new X509Certificate(leaf.certificatePem)
  expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:edge-1')
  expect(certificate.subjectAltName).toBe(
    'DNS:cloudcore, DNS:*.example, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1',
  )
  expect(certificate.checkPrivateKey(createPrivateKey(leaf.keyPem))).toBe(true)
  const days = (certificate.validToDate.getTime() - Date.now()) / 86_400_000
  expect(days).toBeGreaterThan(29.9)
  expect(days).toBeLessThan(30.1)
  expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now() - 60_000)
  expect(new X509Certificate(ca.certificatePem).ca).toBe(true)
})

it('signs with an RSA CA too, as kubeadm makes it', async () => {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs1',
    format: 'pem',
  }) as string
  await writeFile(join(directory, 'rsa.key'), key)
  const certificatePem = await openssl(
    'req',
    '-x509',
    '-key',
    join(directory, 'rsa.key'),
    '-subj',
    '/CN=kubernetes',
    '-days',
    '1',
  )
  const leaf = await issueCertificate(
    { certificatePem, keyPem: key },
    { commonName: 'x', usages: ['client'], days: 1 },
  )
  const [ca, issued] = [new X509Certificate(certificatePem), new X509Certificate(leaf.certificatePem)]
  expect(issued.verify(ca.publicKey)).toBe(true)
  expect(issued.checkIssued(ca)).toBe(true)
})

it('makes certificate requests', async () => {
  const { requestPem, requestDer, keyPem } = await makeCsr({
    commonName: 'system:node:edge-1',
    organizations: ['system:nodes'],
    names: { ip: ['10.0.0.1'] },
  })
  await writeFile(join(directory, 'r.pem'), requestPem)
  const text = await openssl('req', '-in', join(directory, 'r.pem'), '-noout', '-text', '-verify')
  expect(text).toContain('O = system:nodes, CN = system:node:edge-1')
  expect(text).toContain('IP Address:10.0.0.1')
  expect(Buffer.from(requestDer).toString('base64')).toBe(
    requestPem.replace(/-----.*-----/g, '').replace(/\s/g, ''),
  )
  expect(createPrivateKey(keyPem).asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
})

it('refuses a name as an IP address', () =>
  expect(makeCsr({ commonName: 'x', names: { ip: ['host'] } })).rejects.toThrow('"host" is no IP address'))

it('exports DER', async () => {
  const ca = await makeCa({ commonName: 'x', days: 1 })
  expect(new X509Certificate(certificateDer(ca.certificatePem)).subject).toBe('CN=x')
  const key = createPrivateKey({ key: Buffer.from(keyDer(ca.keyPem, 'sec1')), type: 'sec1', format: 'der' })
  expect(new X509Certificate(ca.certificatePem).checkPrivateKey(key)).toBe(true)
})

it("hashes the CA's public key as `openssl` does in kubeadm's documentation", async () => {
  const ca = await makeCa({ commonName: 'x', days: 1 })
  await writeFile(join(directory, 'x.pem'), ca.certificatePem)
  const spki = await openssl('x509', '-pubkey', '-noout', '-in', join(directory, 'x.pem'))
  const { stdout } = await execa({ input: spki, encoding: 'buffer' })`openssl pkey -pubin -outform der`
  const { stdout: digest } = await execa({ input: stdout })`openssl dgst -sha256 -hex`
  expect(caCertHash(ca.certificatePem)).toBe(`sha256:${digest.split(' ').at(-1)}`)
  expect(parseCertificates(ca.certificatePem + ca.certificatePem)).toHaveLength(2)
})
