import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { issueCertificate, type KeyedCertificate, makeCa } from '../../src/kubernetes/certificates.ts'
import type { Renewal } from '../../src/kubernetes/expiry.ts'
import type { FoundCertificate } from '../../src/kubernetes/node-certificates.ts'
import { choose } from '../../src/run/choose-certificates.ts'

let ca: KeyedCertificate
beforeAll(async () => {
  ca = await makeCa({ commonName: 'kubernetes', days: 3650 })
})
async function found(name: string, renewal: Renewal, days = 365): Promise<FoundCertificate> {
  const { certificatePem } = await issueCertificate(ca, { commonName: name, usages: ['client'], days })
  return {
    name,
    node: 'master-1',
    where: `/${name}`,
    renewal,
    certificate: new X509Certificate(certificatePem),
  }
}

describe('which certificates are renewed', () => {
  test("without a name: all of kubeadm's, and only what did not renew itself of the others", async () => {
    const all = [
      await found('ca', 'by hand'),
      await found('apiserver', 'command'),
      await found('admin.conf', 'command'),
      await found('kubelet-client', 'automatic'),
      await found('cloudcore-server', 'command'),
    ]
    expect(choose([], all, true)).toEqual(['apiserver', 'admin.conf'])
    expect(choose(['all'], all, true)).toEqual(['apiserver', 'admin.conf'])
    const late = [
      await found('kubelet-client', 'automatic', 0.0002),
      await found('cloudcore-server', 'command', 30),
    ]
    // Made for the five minutes before now and some seconds after: it would have renewed itself.
    expect(choose([], late, true)).toEqual(['kubelet-client', 'cloudcore-server'])
  })

  test('names: as they are, each once', async () => {
    const all = [await found('kubelet-client', 'automatic'), await found('apiserver', 'command')]
    expect(choose(['apiserver', 'kubelet-client', 'apiserver'], all, true)).toEqual([
      'apiserver',
      'kubelet-client',
    ])
  })

  test.each([
    [['apiservr'], 'there is no certificate apiservr on this machine'],
    [['ca'], 'ca is not renewed by a command'],
    [['edgecore'], "edgecore renews this node's certificate by itself"],
  ])('%s is refused in one sentence', async (names, message) => {
    const all = [
      await found('ca', 'by hand'),
      await found('apiserver', 'command'),
      await found('edgecore', 'automatic'),
    ]
    expect(() => choose(names, all, true)).toThrow(message)
  })
})
