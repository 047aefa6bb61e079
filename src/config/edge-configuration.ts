/**
 * `kind: EdgeConfiguration`: edgeadm's own part of a `--config` file. It may stand beside kubeadm's documents in the same
 * file. Every field has a flag, and every flag of edgeadm's own has a field; the flag beats the file.
 *
 * ```yaml
 * apiVersion: edgeadm.io/v1alpha1
 * kind: EdgeConfiguration
 * enableEdge: true
 * cni: flannel
 * edge:
 *   runtime: kubeedge
 *   metaServer: secure
 *   cloudAddresses: [203.0.113.10]
 * ```
 */

import type { MeshSettings } from './mesh.ts'

export const EDGE_API_VERSION = 'edgeadm.io/v1alpha1'
export const EDGE_KIND = 'EdgeConfiguration'

export const CNI_CHOICES = ['flannel', 'none'] as const
export const EDGE_RUNTIMES = ['kubeedge', 'superedge'] as const
export const META_SERVER_MODES = ['secure', 'plain'] as const
export const HA_MODES = ['none', 'haproxy-keepalived', 'external'] as const

export type Cni = (typeof CNI_CHOICES)[number]
export type EdgeRuntime = (typeof EDGE_RUNTIMES)[number]
export type MetaServerMode = (typeof META_SERVER_MODES)[number]
export type HaMode = (typeof HA_MODES)[number]

/** The effect of a taint; Kubernetes' words. */
export type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: TaintEffect
}

export interface EdgeSettings extends MeshSettings {
  /** `--edge-runtime`: what runs on an edge node. Default `kubeedge`. */
  readonly runtime: EdgeRuntime
  /** `--metaserver`: `secure` wants a token and RBAC; `plain` listens on loopback and also starts offline. Default `secure`. */
  readonly metaServer: MetaServerMode
  /**
   * `--cloud-address`, repeatable: the names and IP addresses at which edge nodes reach the cloud side.
   * Empty: the host of the control-plane endpoint, else the advertise address.
   */
  readonly cloudAddresses: readonly string[]
}

export interface HaSettings {
  /** `--ha`. Default `none`. */
  readonly mode: HaMode
  /** `--interface`: the network interface that carries the virtual address; undefined: that of the route to it. */
  readonly interface: string | undefined
  /** `--ha-virtual-router-id`: VRRP's number of this cluster on its network segment, 1-255; undefined: one that nobody uses there. */
  readonly virtualRouterId: number | undefined
}

export interface PackageSettings {
  /** `--install-pkg-path`: a file, a folder or an http(s) URL. Undefined: no package was named. */
  readonly path: string | undefined
  /** `--install-pkg-sha256`: 64 hexadecimal digits, lower case. */
  readonly sha256: string | undefined
  /** `--install-pkg-public-key`: path of an ed25519 public key (PEM). Undefined: a signature is not asked for. */
  readonly publicKey: string | undefined
}
