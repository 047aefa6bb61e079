import { gatherFacts } from '../../config/facts.ts'
import type { Look } from '../../host/host.ts'
import { listeners, nameOf } from '../../network/listeners.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { isControlPlane, type NodeContext } from '../context.ts'
import type { Check, Problem } from '../problem.ts'
import { whoHas } from './address-in-use.ts'
import { HEALTH_PORT, PODS } from './files.ts'
import { findInterface } from './interface.ts'
import { endpointFromText, type VirtualEndpoint } from './virtual-endpoint.ts'

/** How a package gets the images. */
export const IMAGES_FIX = 'build one with `edgeadm package build --with load-balancer`'

/** On init: whether this machine can become the first to hold the virtual address. */
export const checkLoadBalancer: Check = async (ctx) => {
  const { settings, host } = ctx
  if (settings.command !== 'init' || settings.ha.mode !== 'haproxy-keepalived') return []
  if (settings.controlPlaneEndpoint === undefined || (await isInstalled(host))) return []
  try {
    const endpoint = await endpointFromText(host, settings.controlPlaneEndpoint)
    return [
      ...(await checkMachine(ctx, endpoint)),
      ...(await checkUnused(ctx, endpoint)),
      ...checkImages(ctx),
    ]
  } catch (error) {
    if (!(error instanceof EdgeadmError) || error.class !== 'preflight') throw error
    return [
      problem('VirtualAddress', error.fix === undefined ? error.message : `${error.message}: ${error.fix}`),
    ]
  }
}

/** Whether this machine can carry the address: interface, ports, no haproxy or keepalived of its own. For init and join. */
export async function checkMachine(
  ctx: NodeContext,
  { address, port }: Pick<VirtualEndpoint, 'address' | 'port'>,
): Promise<Problem[]> {
  const { host } = ctx
  if (await isInstalled(host)) return []
  const found = await interfaceFor(ctx, address)
  const taken = await listeners(host)
  const own = await ownPrograms(host)
  return [
    ...('problem' in found ? [problem('VirtualAddress', found.problem)] : []),
    ...own.map((text) => problem('LoadBalancer', text)),
    // Who runs a haproxy of his own has been told so already.
    ...(own.length > 0 ? [] : [port, HEALTH_PORT]).flatMap((needed) => {
      const by = taken.get(needed)
      return by === undefined
        ? []
        : [problem(`Port-${needed}`, `Port ${needed}, which haproxy needs, is in use by ${nameOf(by)}`)]
    }),
  ]
}

export async function interfaceFor(ctx: NodeContext, virtualAddress: string) {
  const { interfaces } = await gatherFacts(ctx.host)
  return findInterface(ctx.host, interfaces, {
    virtualAddress,
    advertiseAddress: advertiseAddress(ctx),
    named: ctx.settings.ha.interface,
  })
}

/** @throws EdgeadmError class `internal` on what is no master */
export function advertiseAddress({ settings }: NodeContext): string {
  if (settings.command === 'init') return settings.advertiseAddress
  if (settings.controlPlane === undefined || !isControlPlane(settings))
    throw new EdgeadmError('internal', 'only a master has an advertise address')
  return settings.controlPlane.advertiseAddress
}

async function isInstalled(host: Look): Promise<boolean> {
  return (await host.stat(PODS.keepalived)) !== undefined
}

async function checkUnused(ctx: NodeContext, { address }: { address: string }): Promise<Problem[]> {
  const { interfaces } = await gatherFacts(ctx.host)
  const holder = interfaces.find((one) => one.addresses.some((other) => other.address === address))
  if (holder !== undefined)
    return [
      problem(
        'VirtualAddress',
        `the virtual address ${address} is this machine's own already, on ${holder.name}`,
      ),
    ]
  const found = await interfaceFor(ctx, address)
  if ('problem' in found) return []
  const owner = await whoHas(ctx.host, address, found.name, ctx.signal)
  if (owner === undefined) return []
  return [
    problem(
      'VirtualAddress',
      `the virtual address ${address} is in use: ${owner} answers for it on ${found.name}`,
    ),
  ]
}

/** Whether the package has both images. */
export function checkImages({ manifest }: NodeContext): Problem[] {
  if (manifest === undefined) return []
  return ['haproxy', 'keepalived']
    .filter((name) => !manifest.images.some((image) => image.name.includes(`/${name}:`)))
    .map((name) => problem('Package', `the package has no image of ${name}: ${IMAGES_FIX}`))
}

/** What this system runs of its own stays as it is. */
async function ownPrograms(host: Look): Promise<string[]> {
  const found: string[] = []
  for (const name of ['haproxy', 'keepalived']) {
    const service = (await host.serviceState(`${name}.service`)).active
    const processes = service ? { stdout: '' } : await host.probe('pgrep', ['-x', name])
    const pid = processes.stdout.split('\n')[0]
    if (!service && pid === '') continue
    found.push(
      `${service ? `the service ${name}.service runs` : `a ${name} runs (pid ${pid})`} on this system, and edgeadm leaves it alone: use it as your own balancer with --ha=external, or stop it`,
    )
  }
  return found
}

function problem(check: string, text: string): Problem {
  return { check, severity: 'error', text }
}
