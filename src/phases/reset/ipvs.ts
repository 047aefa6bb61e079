import { hostOf } from '../../config/names.ts'
import { readBaseline } from '../../network/baseline.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'

/** The device on which kube-proxy puts the addresses of all its virtual servers (pkg/proxy/ipvs). */
const DEVICE = 'kube-ipvs0'

/** A kube-proxy in IPVS mode: virtual servers on the addresses of its device, and sets of addresses. Others' stay. */
export const ipvs: Phase<ResetContext> = {
  name: 'network/ipvs',
  title: 'Remove virtual servers and address sets of kube-proxy',
  runIf: async ({ ledger }) =>
    (await readBaseline(ledger.directory)) === undefined
      ? 'Kubernetes never came to change the network'
      : true,
  run: async ({ host }) => {
    const shown = await host.probe('ip', ['-json', 'address', 'show', 'dev', DEVICE])
    const addresses = shown.exitCode === 0 ? addressesOf(shown.stdout) : []
    const servers = await host.probe('ipvsadm', ['--save', '--numeric'])
    for (const [flag, server] of virtualServers(servers.exitCode === 0 ? servers.stdout : '', addresses)) {
      await host.run('ipvsadm', ['--delete-service', flag, server], {
        title: `delete virtual server ${server}`,
        undo: null,
      })
    }
    const sets = await host.probe('ipset', ['list', '-name'])
    for (const name of (sets.exitCode === 0 ? sets.stdout : '').split('\n')) {
      if (!/^KUBE-/.test(name)) continue
      await host.run('ipset', ['destroy', name], { title: `destroy address set ${name}`, undo: null })
    }
  },
}

function addressesOf(json: string): string[] {
  const devices = JSON.parse(json || '[]') as { addr_info?: { local: string }[] }[]
  return devices.flatMap((device) => (device.addr_info ?? []).map(({ local }) => local))
}

/** From lines such as `-A -t 10.96.0.1:443 -s rr` of ipvsadm(8). */
export function virtualServers(
  saved: string,
  addresses: readonly string[],
): [flag: string, server: string][] {
  return saved.split('\n').flatMap((line): [string, string][] => {
    const [, flag, server] = /^-A (-[tu]) (\S+)/.exec(line) ?? []
    if (flag === undefined || server === undefined) return []
    return addresses.includes(hostOf(server)) ? [[flag, server]] : []
  })
}
