import { gatherFacts } from '../../config/load.ts'
import { nodeNetworks, overlap, parseNetworks } from '../../config/networks.ts'
import { bootstrapEdge } from '../../kubeedge/bootstrap.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { JoinContext } from '../context.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'

export const FILE = '/etc/cni/net.d/10-edgeadm.conflist'

/** Of this node alone, so every edge node can have the same; the first that meets nothing else here is taken. */
const CANDIDATES = ['10.250.0.0/24', '172.30.250.0/24', '192.168.250.0/24'] as const

/** Pods of an edge node have a bridge and addresses of their own: nothing of it depends on the cloud. */
export const edgeCni: Phase<JoinContext> = {
  name: 'edge/cni',
  title: 'Configure the Pod network of this node',
  runIf: ({ settings }) => (settings.cni === 'none' ? '--cni=none' : true),
  verify: async ({ host }) => (await host.stat(FILE)) !== undefined,
  run: async ({ host, settings, signal }) => {
    const { facts } = await bootstrapEdge(settings, signal)
    const taken = [
      ...facts.networks.flatMap(networkOf),
      ...nodeNetworks(await gatherFacts(host)).map(({ network }) => network),
    ]
    const subnet = CANDIDATES.find((one) =>
      networkOf(one).every((network) => !taken.some((other) => overlap(network, other))),
    )
    if (subnet === undefined)
      throw new EdgeadmError('preflight', `the networks ${CANDIDATES.join(', ')} are all taken`, {
        fix: 'join with --cni=none and install a CNI configuration of your own in /etc/cni/net.d',
      })
    await templateFile(host, FILE, 'edge/node/10-edgeadm.conflist', { subnet })
  },
}

const networkOf = (text: string) => parseNetworks(text, { minimumAddresses: 1 }).networks
