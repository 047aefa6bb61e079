/** Certificates of a cluster that runs, made by its own CA as a test needs them: close to their end. */

import {
  certificateDer,
  issueCertificate,
  type KeyedCertificate,
  keyDer,
} from '../../src/kubernetes/certificates.ts'
import { readCa } from '../../src/phases/edge/certificates.ts'
import type { TestLab } from './machines.ts'

async function cloudCa(lab: TestLab): Promise<KeyedCertificate> {
  const command = ['kubectl', '-n', 'kubeedge', 'get', 'secret', 'casecret', '-o', 'json']
  const ca = readCa(JSON.parse(await lab.run('master-1', command)))
  if (ca === undefined) throw new Error('the cluster has no CA of CloudCore')
  return ca
}

interface GivenCertificate {
  readonly node: string
  /** Gets server.crt and server.key. */
  readonly folder: string
  readonly days: number
}

/** Puts a certificate for a node, signed by CloudCore's CA, onto a machine. Resolves with it. */
export async function giveCertificate(
  lab: TestLab,
  machine: string,
  wanted: GivenCertificate,
): Promise<string> {
  const { certificatePem, keyPem } = await issueCertificate(await cloudCa(lab), {
    commonName: `system:node:${wanted.node}`,
    organizations: ['system:nodes'],
    usages: ['client'],
    days: wanted.days,
  })
  await lab.run(machine, ['mkdir', '-p', wanted.folder])
  for (const [file, input] of [
    ['server.crt', certificatePem],
    ['server.key', keyPem],
  ] as const)
    await lab.run(machine, ['sh', '-c', `cat >${wanted.folder}/${file}`], { input })
  return certificatePem
}

/**
 * Gives an edge node a certificate with two minutes left, of seven: edgecore asks for another when between 70% and 90% of
 * the time have gone. (KubeEdge, edge/pkg/edgehub/certificate/certmanager.go.) Resolves with the certificate.
 */
export async function giveEndingCertificate(lab: TestLab, node: string): Promise<string> {
  const folder = '/etc/kubeedge/certs'
  const certificatePem = await giveCertificate(lab, node, { node, folder, days: 2 / (24 * 60) })
  await lab.run(node, ['systemctl', 'restart', 'edgecore'])
  return certificatePem
}

/** Replaces CloudCore's server certificate with one that lives some days more. */
export async function shortenServerCertificate(
  lab: TestLab,
  days: number,
  names: readonly string[],
): Promise<void> {
  const { certificatePem, keyPem } = await issueCertificate(await cloudCa(lab), {
    commonName: 'KubeEdge',
    organizations: ['KubeEdge'],
    usages: ['server'],
    days,
    names: { ip: names },
  })
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  const data = {
    cloudcoredata: base64(certificateDer(certificatePem)),
    cloudcorekeydata: base64(keyDer(keyPem, 'sec1')),
  }
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'cloudcoresecret', namespace: 'kubeedge' },
    data,
  }
  await lab.run('master-1', ['kubectl', 'apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: JSON.stringify(secret),
  })
}

/** Days that the certificate lives which CloudCore shows on port 10002. */
export async function daysOfServer(lab: TestLab, machine: string, address: string): Promise<number> {
  const script = `openssl s_client -connect ${address}:10002 </dev/null 2>/dev/null | openssl x509 -noout -enddate`
  const end = (await lab.run(machine, ['sh', '-c', script])).trim().replace('notAfter=', '')
  return (Date.parse(end) - Date.now()) / 86_400_000
}
