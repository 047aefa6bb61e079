import { formatHostPort } from '../config/names.ts'
import type { InitSettings } from '../config/types.ts'
import type { Look } from '../host/host.ts'
import { caCertHash } from '../kubernetes/ca-pins.ts'
import { EdgeadmError } from '../output/errors.ts'

/** `edgeadm join …` for a worker or an edge node, as kubeadm prints its own. */
export async function joinLine(host: Look, settings: InitSettings): Promise<string> {
  const certificate = await host.readFile(`${settings.certDir}/ca.crt`)
  if (certificate === undefined) throw new EdgeadmError('phase', `there is no ${settings.certDir}/ca.crt`)
  const endpoint =
    settings.controlPlaneEndpoint ?? formatHostPort(settings.advertiseAddress, settings.bindPort)
  const token = settings.skipTokenPrint ? '<value withheld>' : settings.token
  return `edgeadm join ${endpoint} --token ${token} --discovery-token-ca-cert-hash ${caCertHash(certificate)}`
}
