import { hostOf } from './names.ts'
import type { InitSettings, JoinSettings } from './types.ts'

/** What is inside of the cluster, for NO_PROXY: on init the Pods, the Services and their domain; the control plane. */
export function clusterAddresses(settings: InitSettings | JoinSettings): string[] {
  const inside =
    settings.command === 'init'
      ? [
          ...(settings.podSubnet ?? '').split(','),
          ...settings.serviceSubnet.split(','),
          `.${settings.dnsDomain}`,
          hostOf(settings.controlPlaneEndpoint ?? ''),
        ]
      : [settings.discovery.kind === 'token' ? hostOf(settings.discovery.endpoint) : '']
  return inside.filter((one) => one !== '')
}
