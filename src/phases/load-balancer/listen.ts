import { EdgeadmError } from '../../output/errors.ts'
import type { NodeContext } from '../context.ts'
import { ctrPath } from '../runtime/images.ts'
import { type Advertisement, chooseRouterId, parseAdvertisements } from './vrrp.ts'

/** Seconds. Routers announce themselves every second unless told otherwise. */
const SECONDS = 3

/**
 * Listens to the routers on the network and chooses this cluster's number. socat, which can receive VRRP, comes with
 * keepalived's image, so nothing has to be installed for it.
 * @throws EdgeadmError class `preflight` if the wanted number is somebody else's
 */
export async function chooseByListening(
  ctx: NodeContext,
  args: {
    image: string
    ownAddress: string
    virtualAddress: string
    wanted: number | undefined
  },
): Promise<number> {
  const { ownAddress, virtualAddress, wanted } = args
  const others = ownAddress.includes(':') ? [] : await listen(ctx, args.image, ownAddress)
  if (wanted !== undefined) {
    const other = others.find(({ virtualRouterId }) => virtualRouterId === wanted)
    if (other === undefined) return wanted
    throw new EdgeadmError(
      'preflight',
      `--ha-virtual-router-id=${wanted}: another VRRP router on this network has this number already, the one of ${other.addresses.join(', ')}`,
      { fix: 'leave the flag out, then a free number is chosen' },
    )
  }
  const chosen = chooseRouterId(virtualAddress, new Set(others.map((one) => one.virtualRouterId)))
  if (chosen !== undefined) return chosen
  throw new EdgeadmError('preflight', 'all 255 VRRP router numbers are in use on this network')
}

async function listen({ host }: NodeContext, image: string, ownAddress: string): Promise<Advertisement[]> {
  const receive = `busybox timeout ${SECONDS} socat -u "IP4-RECV:112,ip-add-membership=224.0.0.18:${ownAddress}" - | busybox od -An -v -tx1`
  const output = await host.probe(
    await ctrPath(host),
    [
      ...['--namespace', 'k8s.io', 'run', '--rm', '--net-host', '--cgroup', '', image],
      ...['edgeadm-vrrp-listen', '/usr/bin/busybox', 'sh', '-c', receive],
    ],
    { timeout: (SECONDS + 20) * 1000 },
  )
  if (output.exitCode === 0) return parseAdvertisements(output.stdout)
  throw new EdgeadmError('phase', 'could not listen for other VRRP routers on the network', {
    details: output.stderr.split('\n').filter((line) => line.trim() !== ''),
  })
}
