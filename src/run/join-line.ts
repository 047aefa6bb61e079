import { createHash, X509Certificate } from 'node:crypto'
import type { InitSettings } from '../config/types.ts'
import type { Host } from '../host/host.ts'
import { EdgeadmError } from '../output/errors.ts'

/** `edgeadm join …` for a worker or an edge node, as kubeadm prints its own. */
export async function joinLine(host: Host, settings: InitSettings): Promise<string> {
  const certificate = await host.readFile(`${settings.certDir}/ca.crt`)
  if (certificate === undefined) throw new EdgeadmError('phase', `there is no ${settings.certDir}/ca.crt`)
  const endpoint =
    settings.controlPlaneEndpoint ?? formatEndpoint(settings.advertiseAddress, settings.bindPort)
  const token = settings.skipTokenPrint ? '<value withheld>' : settings.token
  return `edgeadm join ${endpoint} --token ${token} --discovery-token-ca-cert-hash ${publicKeyHash(certificate)}`
}

/** kubeadm's pin of a CA: SHA-256 over its DER-encoded SubjectPublicKeyInfo. */
export function publicKeyHash(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
  return `sha256:${createHash('sha256').update(key).digest('hex')}`
}

function formatEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
