import { callerProxy } from '../../host/proxy.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { BIN, type NodeContext } from '../context.ts'
import { lastErrors } from '../diagnose/units.ts'
import { installFromPackage, isInstalled } from '../install.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'
import { existingContainerd } from './existing-containerd.ts'
import { PROXY_FILE, writeProxy } from './proxy.ts'

export const CONTAINERD_UNIT = '/etc/systemd/system/containerd.service'
const CONFIG = '/etc/containerd/config.toml'
const RUNC = '/usr/local/sbin/runc'

const placeOf = (name: string): string => (name === 'runc' ? RUNC : `${BIN}/${name}`)

/** Whether the unit is edgeadm's: an administrator may have put one of their own into the same place. */
export async function isOwnContainerd(host: NodeContext['host']): Promise<boolean> {
  return (await host.readFile(CONTAINERD_UNIT))?.startsWith('# Written by edgeadm') === true
}

/** kubeadm and containerd have to agree on it; the package has exactly one. */
function sandboxImage({ manifest }: NodeContext): string {
  const image = manifest?.images.find(({ name }) => /\/pause:/.test(name))
  if (image === undefined) throw new EdgeadmError('package', 'the package has no pause image')
  return image.name
}

export const containerd: Phase<NodeContext> = {
  name: 'runtime/containerd',
  title: 'Start containerd',
  runIf: async ({ host, manifest }) => {
    if (await isOwnContainerd(host)) return true
    const existing = await existingContainerd(host)
    if (existing.state === 'suitable') return `containerd ${existing.version} of this machine is kept`
    return manifest === undefined ? 'no package was given' : true
  },
  inputs: (ctx) => [
    ctx.manifest?.components.filter(({ name }) => name === 'containerd' || name === 'runc'),
    callerProxy() ?? null,
  ],
  verify: async (ctx) =>
    (await isOwnContainerd(ctx.host)) &&
    (await isInstalled(ctx, 'container/', placeOf)) &&
    (await ctx.host.serviceState('containerd.service')).active,
  run: async (ctx) => {
    const { host } = ctx
    for (const path of ['/var/lib/containerd', '/run/containerd', '/opt/containerd']) await host.claim(path)
    const installed = await installFromPackage(ctx, 'container/', placeOf)
    const configured = await templateFile(host, CONFIG, 'runtime/containerd-config.toml', {
      sandboxImage: sandboxImage(ctx),
      runc: RUNC,
    })
    const proxied = await writeProxy(ctx)
    const unit = await templateFile(host, CONTAINERD_UNIT, 'runtime/containerd.service', {
      bin: BIN,
      proxyFile: PROXY_FILE,
    })
    // Containers go on running: a shim keeps the program that it was started from, and runc is called anew each time.
    const restart = configured || unit || proxied || installed.includes(placeOf('containerd'))
    try {
      await host.service('containerd.service', { enabled: true, active: true, restart })
      if (ctx.settings.dryRun) return
      await awaitCondition('containerd to answer', 60_000, ctx.signal, async () => {
        const version = await host.probe(`${BIN}/ctr`, ['version'])
        return version.exitCode === 0 || version.stderr
      })
    } catch (error) {
      throw error instanceof EdgeadmError ? await withCause(host, error) : error
    }
  },
}

/** systemctl only says that the unit failed; containerd itself said why. */
async function withCause(host: NodeContext['host'], error: EdgeadmError): Promise<EdgeadmError> {
  const said = await lastErrors(host, 'containerd.service')
  return new EdgeadmError(error.class, `containerd does not start: ${said.at(-1) ?? error.message}`, {
    details: said.length === 0 ? error.details : said.slice(0, -1),
    fix: `mend that in ${CONFIG} or in the files that it imports (/etc/containerd/conf.d), and run the same command again: it goes on here; all that it said: \`journalctl -u containerd\``,
    cause: error,
  })
}
