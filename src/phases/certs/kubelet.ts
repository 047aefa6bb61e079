import { readFile } from 'node:fs/promises'
import { parseCertificate } from '../../kubernetes/expiry.ts'
import { clusterOf, makeKubeconfig } from '../../kubernetes/kubeconfig.ts'
import { KUBELET_CLIENT, KUBELET_PKI } from '../../kubernetes/node-certificates.ts'
import { ask } from '../../network/request.ts'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { KUBELET_CONF } from '../context.ts'
import { lastErrors } from '../diagnose/units.ts'
import type { Phase } from '../workflow.ts'
import { type RenewContext, wants } from './context.ts'

const UNIT = 'kubelet.service'
/** kubeadm's for client certificates: a year. */
const DAYS = 365
/** The kubelet reads it in place of a certificate that has ended: `--bootstrap-kubeconfig` of kubeadm's drop-in. */
const BOOTSTRAP_CONF = '/etc/kubernetes/bootstrap-kubelet.conf'
/** Loopback alone, and no credentials: the kubelet's default. */
const HEALTH = 'http://127.0.0.1:10248/healthz'
/** Milliseconds. The controller manager signs within some seconds. */
const LIMIT = 120_000

/**
 * The kubelet renews its certificate by itself, as long as it is valid. One that was off for too long cannot: on a master the
 * cluster's CA signs another one; elsewhere a bootstrap token lets the kubelet ask for one, as in its join.
 */
export const kubeletClient: Phase<RenewContext> = {
  name: 'certs/kubelet-client',
  title: "Renew the kubelet's client certificate",
  runIf: (ctx) => wants(ctx, ['kubelet-client']) || 'it is not wanted, or renews itself in time',
  run: async (ctx) => {
    const { facts } = ctx
    const keyPem = await ctx.host.readFile(`${facts.pki}/ca.key`)
    if (keyPem !== undefined) await signHere(ctx, keyPem)
    else await askTheCluster(ctx)
  },
}

async function signHere({ host, facts }: RenewContext, keyPem: string): Promise<void> {
  const { issueCertificate } = await import('../../kubernetes/certificates.ts')
  const certificatePem = await host.readFile(`${facts.pki}/ca.crt`)
  if (certificatePem === undefined || facts.nodeName === undefined)
    throw new EdgeadmError('phase', `there is no ${facts.pki}/ca.crt, or no name of this node`)
  const made = await issueCertificate(
    { certificatePem, keyPem },
    {
      commonName: `system:node:${facts.nodeName}`,
      organizations: ['system:nodes'],
      usages: ['client'],
      days: DAYS,
    },
  )
  // As the kubelet names it; the directory is the kubelet's, and goes with reset.
  const time = new Date().toISOString().replace(/T/, '-').replaceAll(':', '-').slice(0, 19)
  const path = `${KUBELET_PKI}/kubelet-client-${time}.pem`
  await host.run(
    'sh',
    [
      '-c',
      'umask 077; cat >"$1.new" && sync "$1.new" && mv "$1.new" "$1" && ln -sfn "$1" "$2"',
      'write',
      path,
      KUBELET_CLIENT,
    ],
    {
      title: `write ${path}`,
      undo: null,
      input: `${made.certificatePem}${made.keyPem}`,
    },
  )
}

async function askTheCluster({ host, settings, signal }: RenewContext): Promise<void> {
  const { token } = settings
  if (token === undefined) throw new EdgeadmError('internal', 'a token was to be asked for first')
  const cluster = clusterOf((await host.readFile(KUBELET_CONF)) ?? '')
  const caPem = cluster?.caPem ?? (cluster?.caFile && (await readFile(cluster.caFile, 'utf8')))
  if (cluster === undefined || !caPem) throw new EdgeadmError('phase', `${KUBELET_CONF} names no cluster`)
  const before = parseCertificate(await host.readFile(KUBELET_CLIENT))?.serialNumber
  const text = makeKubeconfig({ server: cluster.server, caPem }, 'tls-bootstrap-token-user', { token })
  // kubeadm's own name for it; removed as soon as it was used.
  await host.run('sh', ['-c', 'umask 077; cat >"$1"', 'write', BOOTSTRAP_CONF], {
    title: `write ${BOOTSTRAP_CONF}`,
    undo: null,
    input: text,
  })
  try {
    await host.run('systemctl', ['restart', UNIT], { title: 'restart the kubelet', undo: null })
    await awaitCondition("the kubelet's new certificate", LIMIT, signal, async () => {
      const now = parseCertificate(await host.readFile(KUBELET_CLIENT))?.serialNumber
      return (now !== undefined && now !== before) || (await lastErrors(host, UNIT)).join('\n')
    })
  } finally {
    await host.run('rm', ['-f', BOOTSTRAP_CONF], { title: `remove ${BOOTSTRAP_CONF}`, undo: null })
  }
}

/** The certificate that the kubelet shows on port 10250: it makes one of its own where there is none, and reads it once. */
export const kubeletServer: Phase<RenewContext> = {
  name: 'certs/kubelet-server',
  title: "Renew the kubelet's serving certificate",
  runIf: (ctx) => wants(ctx, ['kubelet-server']) || 'it is not wanted',
  run: async ({ host }) => {
    await host.run('rm', ['-f', `${KUBELET_PKI}/kubelet.crt`, `${KUBELET_PKI}/kubelet.key`], {
      title: "remove the kubelet's serving certificate",
      undo: null,
    })
  },
}

/** It runs the static Pods, also those that wait after they failed: so it comes before them. */
export const kubeletRestart: Phase<RenewContext> = {
  name: 'certs/kubelet-restart',
  title: 'Restart the kubelet',
  runIf: async (ctx) => {
    if (wants(ctx, ['kubelet-client', 'kubelet-server'])) return true
    return (await ctx.host.serviceState(UNIT)).active ? 'its certificates are as they were' : true
  },
  run: async (ctx) => {
    const { host, settings, signal } = ctx
    await host.run('systemctl', ['restart', UNIT], { title: 'restart the kubelet', undo: null })
    if (settings.dryRun) return
    await awaitCondition('the kubelet to answer', LIMIT, signal, async () => {
      try {
        const { status } = await ask({ url: HEALTH, caPem: undefined, timeout: 2000, signal })
        return status === 200 || `HTTP ${status}`
      } catch (error) {
        signal.throwIfAborted()
        return (await lastErrors(host, UNIT)).join('\n') || messageOf(error)
      }
    })
  },
}
