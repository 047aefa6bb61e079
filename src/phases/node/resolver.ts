/** The file from which the kubelet takes the nameservers of Pods with `dnsPolicy: Default`, CoreDNS among them. */

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { NodeContext } from '../context.ts'

/** systemd-resolved's own file, with the real nameservers: kubeadm names it to the kubelet where the service runs. */
export const RESOLVED = '/run/systemd/resolve/resolv.conf'
const DEFAULT = '/etc/resolv.conf'

/** Undefined: the kubelet is told to use none (`resolvConf: ""`). */
export async function kubeletResolvConf({
  host,
  settings,
}: Pick<NodeContext, 'host' | 'settings'>): Promise<string | undefined> {
  const given = settings.documents.KubeletConfiguration?.resolvConf
  if (typeof given === 'string') return given === '' ? undefined : given
  return (await host.serviceState('systemd-resolved.service')).active ? RESOLVED : DEFAULT
}

/** Addresses of the `nameserver` lines (resolv.conf(5)). */
export function nameserversOf(text: string): string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map((match) => match[1] as string)
}

/** A loopback address leads back into the Pod that asks it: CoreDNS sees a loop and ends. */
export function isLoopback(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  return isIP(bare) !== 0 && ipaddr.process(bare).range() === 'loopback'
}
