import { KUBEEDGE } from '../../../kubeedge/paths.ts'
import type { JoinContext } from '../../context.ts'
import { templateFile } from '../../template-file.ts'
import type { Phase } from '../../workflow.ts'
import { nameservers, RESOLV_CONF } from './checks.ts'

/** What EdgeMesh's agent gets as /etc/resolv.conf on an edge node. */
const FILE = `${KUBEEDGE}/edgemesh-resolv.conf`

/**
 * EdgeMesh's DNS is a CoreDNS that asks this machine's nameserver for all names but the cluster's, and ends where there is
 * none ("no nameservers found", CoreDNS plugin/pkg/parse/host.go). At an air-gapped site it gets one that never answers: the
 * cluster's names work, and others have none to know them.
 */
export const meshResolver: Phase<JoinContext> = {
  name: 'edge/edgemesh-resolver',
  title: "Give EdgeMesh's DNS a nameserver to ask",
  run: async ({ host }) => {
    if (nameservers((await host.readFile(RESOLV_CONF)) ?? '').length > 0) await host.link(FILE, RESOLV_CONF)
    else await templateFile(host, FILE, 'edge/mesh/resolv.conf')
  },
}
