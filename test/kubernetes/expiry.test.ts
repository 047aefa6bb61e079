import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { issueCertificate, type KeyedCertificate, makeCa } from '../../src/kubernetes/certificates.ts'
import { endOf, type Renewal, stateOf } from '../../src/kubernetes/expiry.ts'

const DAY = 86_400_000
let ca: KeyedCertificate
let certificate: X509Certificate
beforeAll(async () => {
  ca = await makeCa({ commonName: 'kubernetes', days: 3650 })
  const request = { commonName: 'kube-apiserver', usages: ['server'], days: 365 } as const
  certificate = new X509Certificate((await issueCertificate(ca, request)).certificatePem)
})
const place = (renewal: Renewal) => ({ name: 'apiserver', node: 'master-1', where: '/x', renewal })
const levelAt = (renewal: Renewal, days: number) =>
  stateOf(place(renewal), certificate, endOf(certificate) - days * DAY).level

describe('how soon a certificate ends', () => {
  test.each([
    [61, 'ok'],
    [60, 'notice'],
    [31, 'notice'],
    [30, 'warning'],
    [8, 'warning'],
    [7, 'critical'],
    [0.001, 'critical'],
    [0, 'expired'],
    [-1, 'expired'],
  ])('%s days before its end', (days, level) => {
    expect(levelAt('command', days)).toBe(level)
    expect(levelAt('by hand', days)).toBe(level)
  })

  test('one that renews itself in the last third is told of when it did not', () => {
    expect(levelAt('automatic', 50)).toBe('ok')
    expect(levelAt('automatic', 20)).toBe('critical')
    expect(levelAt('automatic', 0)).toBe('expired')
  })

  test('says what openssl says of it', () => {
    const state = stateOf(place('command'), certificate, endOf(certificate) - 90.5 * DAY)
    expect(state).toMatchObject({ daysLeft: 90, isCa: false, serial: certificate.serialNumber })
    expect(state.subject).toBe('CN=kube-apiserver')
    expect(stateOf(place('by hand'), new X509Certificate(ca.certificatePem)).isCa).toBe(true)
  })
})
