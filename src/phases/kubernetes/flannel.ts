import { parseHostPort } from '../../config/names.ts'
import { applyTemplate } from '../../kubernetes/kubectl.ts'
import type { InitContext } from '../context.ts'
import { type Phase, trustJournal } from '../workflow.ts'

/** flannel's own configuration; one network per address family. */
function network({ settings }: InitContext): Record<string, unknown> {
  const subnets = (settings.podSubnet ?? '').split(',').filter((subnet) => subnet !== '')
  const ipv4 = subnets.find((subnet) => !subnet.includes(':'))
  const ipv6 = subnets.find((subnet) => subnet.includes(':'))
  return {
    ...(ipv4 === undefined ? { EnableIPv4: false } : { Network: ipv4 }),
    ...(ipv6 === undefined ? {} : { EnableIPv6: true, IPv6Network: ipv6 }),
    EnableNFTables: false,
    Backend: { Type: 'vxlan' },
  }
}

function apiServer({ settings }: InitContext): { apiHost: string; apiPort: string } {
  const { controlPlaneEndpoint, advertiseAddress, bindPort } = settings
  const parsed = parseHostPort(controlPlaneEndpoint ?? '')
  // Without an endpoint that is one, the machine's own.
  const { host, port } = typeof parsed === 'string' ? { host: advertiseAddress, port: bindPort } : parsed
  return { apiHost: host, apiPort: String(port ?? bindPort) }
}

/** Undefined without a package, or with one that has no flannel: node/checks says so before anything is changed. */
export function flannelImage({ manifest }: Pick<InitContext, 'manifest'>): string | undefined {
  return manifest?.images.find(({ name }) => /\/flannel:/.test(name))?.name
}

export const flannel: Phase<InitContext> = {
  name: 'cni/flannel',
  title: 'Install flannel',
  runIf: (ctx) => {
    if (ctx.settings.cni !== 'flannel') return '--cni=none'
    return flannelImage(ctx) === undefined ? 'the package has no flannel image' : true
  },
  inputs: (ctx) => [network(ctx), apiServer(ctx), ctx.manifest?.images],
  verify: trustJournal,
  run: async (ctx) => {
    await applyTemplate(ctx.host, 'kubernetes/flannel/flannel.yaml', {
      image: flannelImage(ctx),
      network: network(ctx),
      ...apiServer(ctx),
    })
  },
}
