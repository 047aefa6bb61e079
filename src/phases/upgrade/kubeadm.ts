/** kubeadm's own phases of `upgrade apply` and `upgrade node`, with the new kubeadm, driven by one file. */

import { writeFile } from 'node:fs/promises'
import pRetry, { AbortError } from 'p-retry'
import { stringify } from 'yaml'
import type { Look } from '../../host/host.ts'
import { STATE_DIRECTORY } from '../../host/ledger.ts'
import { upgradePhaseCommand } from '../../kubernetes/kubeadm-command.ts'
import { KUBEADM_PHASES } from '../../kubernetes/kubeadm-phases.ts'
import { isTransient } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitReadyApi } from '../await-api.ts'
import { ADMIN_CONF, KUBEADM_ENV } from '../context.ts'
import { unlessHopeless } from '../diagnose/hopeless.ts'
import { diagnose } from '../diagnose/index.ts'
import { ensureUnpacked } from '../package.ts'
import type { Phase } from '../workflow.ts'
import { NEW_KUBEADM, type UpgradeContext } from './context.ts'

/** Goes with the upgrade; no secret is in it. */
const CONFIG = `${STATE_DIRECTORY}/upgrade.yaml`

/** The document that drives kubeadm. It is read from v1beta4 on, which 1.31 has. */
export function upgradeDocument({ upgrade, settings, manifest }: UpgradeContext): string {
  const { workflow, to } = upgrade
  const arePreloaded = manifest?.images.some(({ name }) => name.endsWith(`/kube-apiserver:${to}`)) === true
  const common = {
    certificateRenewal: upgrade.renewCertificates,
    etcdUpgrade: upgrade.upgradeEtcd,
    ignorePreflightErrors: settings.ignorePreflightErrors,
    imagePullPolicy: arePreloaded ? 'Never' : 'IfNotPresent',
    ...(settings.patchesDirectory === undefined ? {} : { patches: { directory: settings.patchesDirectory } }),
  }
  return stringify({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'UpgradeConfiguration',
    ...(workflow === 'apply' ? { apply: { kubernetesVersion: to, ...common } } : { node: common }),
  })
}

/** Phases that replace what runs: a failure comes with what the machine says. */
const WAITS = ['control-plane']

export function kubeadmUpgrade<C extends UpgradeContext>(
  workflow: 'apply' | 'node',
  name: string,
  extra: Partial<Phase<C>> = {},
): Phase<C> {
  const title = KUBEADM_PHASES.upgrade
    .flatMap((one) => [one, ...(one.children ?? [])])
    .find((one) => one.name === name)?.title
  if (title === undefined) throw new EdgeadmError('internal', `kubeadm upgrade has no phase ${name}`)
  return {
    name,
    title,
    inputs: ({ upgrade, settings }) => [upgrade.to, settings.patchesDirectory],
    // kubeadm itself finds what is done; the cluster's health is looked at anew in any case.
    ...(name === 'preflight' ? {} : { verify: async () => true }),
    run: async (ctx) => {
      const { host, settings, emit, signal } = ctx
      await ensureUnpacked(ctx)
      if (!settings.dryRun) await writeFile(CONFIG, upgradeDocument(ctx), { mode: 0o600 })
      const args = upgradePhaseCommand(workflow, name, {
        kubernetesVersion: settings.kubernetesVersion,
        configFile: CONFIG,
      })
      const run = async (until?: AbortSignal): Promise<void> => {
        await host.run(NEW_KUBEADM, args, {
          title: `kubeadm upgrade ${workflow} phase ${name}`,
          undo: null,
          env: KUBEADM_ENV,
          // edgeadm has asked already.
          input: 'y\n',
          onLine: (text) => emit({ type: 'output', text }),
          ...(until === undefined ? {} : { signal: until }),
        })
      }
      try {
        if (settings.role === 'master' && !settings.dryRun) await awaitOwnApi(ctx)
        // kubeadm's checks wait by themselves; what comes after asks the API once, for ten seconds.
        if (settings.dryRun || name === 'preflight') await run()
        else if (WAITS.includes(name)) await unlessHopeless({ host, signal }, run)
        else await unlessPassing(run, signal)
      } catch (error) {
        if (!(error instanceof EdgeadmError) || error.class !== 'phase' || error.fix !== undefined)
          throw error
        throw new EdgeadmError('phase', `kubeadm failed in its phase ${name}`, {
          details: [...essence(error.details), ...(WAITS.includes(name) ? await diagnose(host) : [])],
          fix: `mend the cause and run \`edgeadm upgrade ${workflow}\` again: it goes on at this phase${name.startsWith('addon') ? '' : '; `edgeadm upgrade abort` goes back'}`,
          cause: error,
        })
      }
    },
    ...extra,
  }
}

/** Again, a few times, where the API server or etcd was away for a moment: on a slow machine just after they changed. */
function unlessPassing(run: () => Promise<void>, signal: AbortSignal): Promise<void> {
  return pRetry(
    () =>
      run().catch((error: unknown) => {
        throw isTransient(error) || !(error instanceof Error) ? error : new AbortError(error)
      }),
    { retries: 4, minTimeout: 2000, factor: 2, signal },
  )
}

/** Lines of kubeadm's that name an error, else the last ones that it wrote. */
function essence(lines: readonly string[]): string[] {
  const telling = lines.map((line) => line.trim()).filter((line) => /^(\[ERROR |error|- )/.test(line))
  return telling.length > 0 ? telling : lines.slice(-8)
}

/** Milliseconds. As long as kubeadm waits for a component of the control plane. */
const LIMIT = 240_000

/**
 * A run that was killed in the middle of the control plane leaves the kubelet to bring it back; the next phase asks the API.
 * On a master only.
 */
export async function awaitOwnApi({
  host,
  signal,
}: {
  readonly host: Look
  readonly signal: AbortSignal
}): Promise<void> {
  const server = /server: https:\/\/(\S+)/.exec((await host.readFile(ADMIN_CONF)) ?? '')?.[1]
  const ca = /certificate-authority-data: (\S+)/.exec((await host.readFile(ADMIN_CONF)) ?? '')?.[1]
  if (server === undefined || ca === undefined) return
  const caPem = Buffer.from(ca, 'base64').toString('utf8')
  await awaitReadyApi({ what: 'the API server to be ready', endpoint: server, caPem, limit: LIMIT }, signal)
}
