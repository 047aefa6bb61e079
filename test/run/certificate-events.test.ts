import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { CertificateState } from '../../src/kubernetes/expiry.ts'
import { eventOf } from '../../src/run/certificate-events.ts'
import { render } from '../../src/templates.ts'

const certificate: CertificateState = {
  name: 'scheduler.conf',
  node: 'master-1',
  where: '/etc/kubernetes/scheduler.conf',
  isCa: false,
  subject: '',
  issuer: '',
  serial: '',
  notBefore: '2026-01-01T00:00:00.000Z',
  notAfter: '2027-01-01T00:00:00.000Z',
  daysLeft: 5,
  renewal: 'command',
  level: 'critical',
}

test('a certificate that ends soon is an Event on its Node', () => {
  const event = eventOf(certificate, new Date('2026-12-27T00:00:00.5Z'))
  expect(parse(render('kubernetes/certificate-event.yaml', event ?? {}))).toMatchObject({
    metadata: { name: 'edgeadm-certificate.master-1.scheduler.conf', namespace: 'default' },
    involvedObject: { kind: 'Node', name: 'master-1', uid: 'master-1' },
    type: 'Warning',
    reason: 'CertificateEndsSoon',
    message: 'the certificate scheduler.conf ends on 2027-01-01: `edgeadm certs renew` there renews it',
    lastTimestamp: '2026-12-27T00:00:00Z',
  })
  expect(eventOf({ ...certificate, level: 'expired' })).toMatchObject({ reason: 'CertificateEnded' })
})

test('one that is good, and one of no node, are none', () => {
  expect(eventOf({ ...certificate, level: 'ok' })).toBeUndefined()
  expect(eventOf({ ...certificate, node: undefined })).toBeUndefined()
})
