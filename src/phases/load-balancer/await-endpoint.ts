import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { parseHostPort } from '../../config/names.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitReadyApi } from '../await-api.ts'
import type { InitContext } from '../context.ts'
import { diagnose } from '../diagnose/index.ts'
import type { Phase } from '../workflow.ts'

/** Milliseconds. keepalived takes the address about four seconds after its start. */
const LIMIT = 60_000

/**
 * Everything after this uses the credentials that name the control plane endpoint: whatever balances it must reach this
 * master by now, and the API server's certificate must name it. At this time the cluster has no other master.
 */
export const awaitEndpoint: Phase<InitContext> = {
  name: 'control-plane-endpoint',
  title: 'Wait for the control plane endpoint',
  runIf: ({ settings }) => {
    if (settings.controlPlaneEndpoint === undefined) return 'no --control-plane-endpoint'
    return settings.dryRun ? 'nothing was changed' : true
  },
  run: async ({ host, settings, signal }) => {
    const { controlPlaneEndpoint: endpoint = '', certDir, ha } = settings
    const caPem = await host.readFile(`${certDir}/ca.crt`)
    checkCertificate(await host.readFile(`${certDir}/apiserver.crt`), endpoint)
    try {
      const what = `${endpoint} to reach the API server of this master`
      await awaitReadyApi({ what, endpoint, caPem, limit: LIMIT }, signal)
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', error.message, {
        details: [...error.details, ...(ha.mode === 'haproxy-keepalived' ? await diagnose(host) : [])],
        fix: FIXES[ha.mode],
      })
    }
  },
}

const FIXES = {
  none: 'let the name or address lead to this machine, and run the same command again',
  external:
    'let your balancer pass connections on to this machine, unchanged (TCP, not HTTPS), and run the same command again',
  'haproxy-keepalived':
    'look at `journalctl -u kubelet` and the logs below /var/log/pods/kube-system_keepalived-*, and run the same command again',
} as const

/** @throws EdgeadmError class `preflight` if clients of the endpoint would refuse the certificate */
function checkCertificate(pem: string | undefined, endpoint: string): void {
  const parsed = parseHostPort(endpoint)
  if (pem === undefined || typeof parsed === 'string') return
  const certificate = new X509Certificate(pem)
  const named =
    isIP(parsed.host) === 0 ? certificate.checkHost(parsed.host) : certificate.checkIP(parsed.host)
  if (named !== undefined) return
  throw new EdgeadmError('preflight', `the API server's certificate does not name ${parsed.host}`, {
    details: [`it names ${certificate.subjectAltName ?? 'nothing'}`],
    fix: `remove the certificate and its key and run \`edgeadm init phase certs/apiserver --apiserver-cert-extra-sans ${parsed.host}\``,
  })
}
