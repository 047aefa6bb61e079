/** An edge node gets its new edgecore, and its old one back by itself unless the new one works. */

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Host } from '../../host/host.ts'
import { syncFileSystems } from '../../host/sync.ts'
import { checkReachable } from '../../kubeedge/cloudcore-client.ts'
import { checkMetaServer } from '../../kubeedge/metaserver.ts'
import { EDGECORE_CONFIG, EDGECORE_UNIT, KUBEEDGE } from '../../kubeedge/paths.ts'
import { EdgeadmError, messageOf } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import { BIN, UNPACKED } from '../context.ts'
import { edgeCoreErrors } from '../edge/ready.ts'
import { isInstalled } from '../install.ts'
import { ensureUnpacked } from '../package.ts'
import type { Phase } from '../workflow.ts'
import { UPGRADE_DIRECTORY, type UpgradeContext } from './context.ts'
import { copyTree } from './copy-tree.ts'
import { forgetState } from './state.ts'

const EDGECORE = `${BIN}/edgecore`
const COPY = `${UPGRADE_DIRECTORY}/edge-before`
const COMPLETE = join(COPY, 'complete')
/** By their name in the copy. The database takes additions at a start of the new edgecore that the old one may not know. */
const SAVED: Readonly<Record<string, string>> = {
  edgecore: EDGECORE,
  etc: KUBEEDGE,
  data: '/var/lib/kubeedge',
}
/** Milliseconds that a new edgecore has to work in. */
const LIMIT = 120_000
/** Milliseconds. */
const INTERVAL = 1000

const placeOf = (name: string): string | undefined => (name === 'edgecore' ? EDGECORE : undefined)

interface EdgeCoreConfig {
  readonly featureGates?: { readonly requireAuthorization?: boolean }
  readonly modules?: { readonly edgeHub?: { readonly httpServer?: string } }
}

async function configOf(host: Host): Promise<EdgeCoreConfig> {
  return (parse((await host.readFile(EDGECORE_CONFIG)) ?? '') ?? {}) as EdgeCoreConfig
}

const isSecure = ({ featureGates }: EdgeCoreConfig): boolean => featureGates?.requireAuthorization === true

/**
 * Before anything is changed: a secure MetaServer does not start while the cloud is away, with the old edgecore as little as
 * with the new one.
 */
export const edgeUpgradeCheck: Phase<UpgradeContext> = {
  name: 'upgrade/checks',
  title: 'Check whether this edge node can be upgraded',
  preliminary: true,
  run: async ({ host, manifest, signal, emit }) => {
    if (!manifest?.files.some(({ path }) => path === 'bin/edgecore'))
      throw new EdgeadmError('package', 'the package has no edgecore, so it upgrades no edge node', {
        fix: 'use a package with KubeEdge: `edgeadm package build`',
      })
    const config = await configOf(host)
    const address = new URL(config.modules?.edgeHub?.httpServer ?? 'https://invalid/').hostname
    try {
      await checkReachable(address.replace(/^\[|\]$/g, ''), { signal })
    } catch (error) {
      if (isSecure(config))
        throw new EdgeadmError(
          'preflight',
          `CloudCore cannot be reached, and the secure MetaServer of this node does not start again without it: ${messageOf(error)}`,
          { fix: 'upgrade it when the cloud can be reached; until then it works as it is' },
        )
      emit({
        type: 'warning',
        text: `CloudCore cannot be reached; this node is upgraded without it: ${messageOf(error)}`,
      })
    }
  },
}

export const swapEdgeCore: Phase<UpgradeContext> = {
  name: 'edge/edgecore',
  title: 'Change edgecore, and change it back unless it works',
  runIf: async (ctx) => {
    if (ctx.settings.dryRun) return true
    // A run that was killed after the swap has not seen it work.
    if ((await ctx.host.stat(COMPLETE)) !== undefined) return true
    return (await isInstalled(ctx, 'bin/', placeOf)) ? "this edgecore is the package's already" : true
  },
  run: async (ctx) => {
    const { host, settings } = ctx
    await ensureUnpacked(ctx)
    if (settings.dryRun) {
      await host.installFile(join(UNPACKED, 'bin/edgecore'), EDGECORE, { mode: 0o755 })
      return
    }
    if ((await host.stat(COMPLETE)) === undefined) await save(ctx)
    try {
      await host.installFile(join(UNPACKED, 'bin/edgecore'), EDGECORE, { mode: 0o755 })
      await host.service(EDGECORE_UNIT, { active: true, restart: true })
      await awaitWorking(ctx)
    } catch (error) {
      ctx.signal.throwIfAborted()
      throw await putBack(ctx, messageOf(error))
    }
    await rm(COPY, { recursive: true, force: true })
  },
}

/** While edgecore is stopped: a copy of a database that is written is none. */
async function save({ host }: UpgradeContext): Promise<void> {
  await rm(COPY, { recursive: true, force: true })
  await mkdir(COPY, { recursive: true, mode: 0o700 })
  await host.service(EDGECORE_UNIT, { active: false })
  try {
    for (const [name, path] of Object.entries(SAVED))
      if ((await host.stat(path)) !== undefined) await copyTree(path, join(COPY, name))
    await writeFile(COMPLETE, '')
    await syncFileSystems([COPY])
  } catch (error) {
    await host.service(EDGECORE_UNIT, { active: true })
    throw new EdgeadmError(
      'preflight',
      `what edgecore has cannot be saved, so it stays as it is: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** Works with Pods and the cloud as before: its unit runs, and MetaServer answers as `edgeadm check edge` asks it. */
async function awaitWorking({ host, signal }: UpgradeContext): Promise<void> {
  const secure = isSecure(await configOf(host))
  await awaitCondition(
    'edgecore to run and MetaServer to answer',
    LIMIT,
    signal,
    async () => {
      if (!(await host.serviceState(EDGECORE_UNIT)).active) return `${EDGECORE_UNIT} does not run`
      const failed = (await checkMetaServer({ host, signal, secure })).find(({ result }) => result !== true)
      return failed === undefined || `${failed.what}: ${failed.result}`
    },
    INTERVAL,
  )
}

/** Resolves with what to tell: the old one is back, and whether it works. */
async function putBack(ctx: UpgradeContext, why: string): Promise<EdgeadmError> {
  const { host, emit } = ctx
  emit({ type: 'warning', text: `the new edgecore does not work (${why}): the old one is put back` })
  const said = await edgeCoreErrors(host)
  await host.service(EDGECORE_UNIT, { active: false })
  await host.installFile(join(COPY, 'edgecore'), EDGECORE, { mode: 0o755 })
  for (const name of ['etc', 'data']) {
    const from = join(COPY, name)
    const to = SAVED[name] ?? ''
    if ((await host.stat(from)) === undefined) continue
    // Kept as a folder: it may be a mount.
    for (const entry of await host.list(to)) await rm(join(to, entry), { recursive: true, force: true })
    await copyTree(from, to)
  }
  await host.service(EDGECORE_UNIT, { active: true })
  let state = 'the old one is back, and works'
  try {
    await awaitWorking(ctx)
    // With the copy: this upgrade is over, and one to another version may begin.
    await forgetState()
  } catch (error) {
    ctx.signal.throwIfAborted()
    state = `the old one is back, and does not work yet either: ${messageOf(error)}; the copy is in ${COPY}`
  }
  return new EdgeadmError('phase', `the new edgecore did not work within ${LIMIT / 1000} s; ${state}`, {
    details: [why, ...said],
    fix: 'mend what it said, or use another package; `edgeadm check edge` tells the state of this node',
  })
}
