import { isAtLeast } from '../../../config/versions.ts'
import { discover } from '../../../kubernetes/discovery-file.ts'
import { makeKubeconfig } from '../../../kubernetes/kubeconfig.ts'
import { EdgeadmError, messageOf } from '../../../output/errors.ts'
import { bootstrapSuperEdge } from '../../../superedge/bootstrap.ts'
import { KUBELET_CERTIFICATE, LITE, LITE_ADDRESS, LITE_PORT, LITE_URL } from '../../../superedge/paths.ts'
import { awaitCondition } from '../../await.ts'
import { BIN, type JoinContext } from '../../context.ts'
import { lastErrors } from '../../diagnose/units.ts'
import { installFromPackage, isInstalled } from '../../install.ts'
import { templateFile } from '../../template-file.ts'
import type { Phase } from '../../workflow.ts'

/** lite-apiserver reads its certificate once, and nothing renews it: it is for this machine's loopback alone. */
const DAYS = 3650
/** Milliseconds. It listens within a second. */
const LIMIT = 30_000

const placeOf = (name: string): string | undefined => (name === LITE.binary ? `${BIN}/${name}` : undefined)

export const liteApiserver: Phase<JoinContext> = {
  name: 'edge/lite-apiserver',
  title: 'Install lite-apiserver',
  inputs: ({ manifest }) => manifest?.files.filter(({ path }) => path === `bin/${LITE.binary}`),
  verify: async (ctx) => {
    if (!(await isInstalled(ctx, 'bin/', placeOf))) return false
    for (const path of [LITE.key, LITE.discovery, LITE.unitFile])
      if ((await ctx.host.stat(path)) === undefined) return false
    return true
  },
  run: async (ctx) => {
    const { host, settings, signal } = ctx
    const { server, caPem } = await bootstrapSuperEdge(settings, signal)
    await installFromPackage(ctx, 'bin/', placeOf)
    // Whoever may read its cache may read the node's Secrets.
    await host.claim(LITE.state)
    await host.makeDirectory(LITE.state, { mode: 0o700 })
    await host.makeDirectory(LITE.directory, { mode: 0o755 })
    const nodeCaPem = await writeCertificates(ctx)
    await host.writeFile(LITE.clusterCa, caPem, { mode: 0o644 })
    await host.writeFile(
      LITE.discovery,
      makeKubeconfig({ server: LITE_URL, caPem: `${caPem.trimEnd()}\n${nodeCaPem}` }, 'none', {}),
      { mode: 0o644 },
    )
    const keyPair = { cert: KUBELET_CERTIFICATE, key: KUBELET_CERTIFICATE }
    await host.writeFile(LITE.tlsConfig, `${JSON.stringify([keyPair])}\n`, { mode: 0o644 })
    await templateFile(
      host,
      LITE.portGuard,
      'edge/node/guard-port',
      { port: LITE_PORT, chain: 'EDGEADM-LITE' },
      { mode: 0o755 },
    )
    const { hostname, port } = new URL(server)
    await templateFile(host, LITE.unitFile, 'edge/superedge/lite-apiserver.service', {
      bin: BIN,
      paths: LITE,
      apiHost: hostname,
      apiPort: port || '443',
      address: LITE_ADDRESS,
      port: LITE_PORT,
    })
    await templateFile(host, LITE.kubeletDropIn, 'edge/superedge/20-lite-apiserver.conf', {
      watchLists: isAtLeast(settings.kubernetesVersion, 35),
    })
  },
}

/** From a CA that signs this once: its key is never written down. @returns the CA's certificate */
async function writeCertificates({ host, settings }: JoinContext): Promise<string> {
  const known = await host.readFile(LITE.nodeCa)
  if (known !== undefined && (await host.stat(LITE.key)) !== undefined) return known
  const { makeCa, issueCertificate } = await import('../../../kubernetes/certificates.ts')
  const ca = await makeCa({ commonName: `lite-apiserver-ca-${settings.node.name}`.slice(0, 64), days: DAYS })
  const certificate = await issueCertificate(ca, {
    commonName: 'lite-apiserver',
    names: { ip: [LITE_ADDRESS] },
    usages: ['server'],
    days: DAYS - 1,
  })
  await host.writeFile(LITE.nodeCa, ca.certificatePem, { mode: 0o644 })
  await host.writeFile(LITE.certificate, certificate.certificatePem, { mode: 0o644 })
  // The last: what is there is whole.
  await host.writeFile(LITE.key, certificate.keyPem, { mode: 0o600, secret: true })
  return ca.certificatePem
}

/** It has to answer before kubeadm: the node's first request already goes through it. */
export const liteApiserverStart: Phase<JoinContext> = {
  name: 'edge/lite-apiserver-start',
  title: 'Start lite-apiserver',
  inputs: ({ manifest }) => manifest?.files.filter(({ path }) => path === `bin/${LITE.binary}`),
  verify: async ({ host }) => (await host.serviceState(LITE.unit)).active,
  run: async ({ host, settings, signal }) => {
    await host.service(LITE.unit, { enabled: true, active: true, restart: true })
    if (settings.dryRun) return
    try {
      await awaitCondition('lite-apiserver to reach the API server', LIMIT, signal, async () => {
        try {
          await discover({ kind: 'file', path: LITE.discovery }, { signal })
          return true
        } catch (error) {
          if (!(error instanceof EdgeadmError)) throw error
          return messageOf(error)
        }
      })
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', error.message, {
        details: [...error.details, ...(await lastErrors(host, LITE.unit))],
        fix: `look at \`journalctl -u ${LITE.unit}\`, mend the cause and run the same command again`,
      })
    }
  },
}
