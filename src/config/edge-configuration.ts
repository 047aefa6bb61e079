/**
 * `kind: EdgeConfiguration`: edgeadm's own part of a `--config` file. It may stand beside kubeadm's documents in the same
 * file. Every flag of edgeadm's own has a field; the flag beats the file.
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
 * cloudCore:
 *   modules: {cloudHub: {nodeLimit: 5000}}
 * ```
 */

import type { Components } from './components.ts'
import type { MeshSettings } from './mesh.ts'

export const EDGE_API_VERSION = 'edgeadm.io/v1alpha1'
export const EDGE_KIND = 'EdgeConfiguration'
/** The fleet's part of a file (src/fleet). Commands that act on one machine leave it alone. */
export const CLUSTER_KIND = 'Cluster'

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
  /** `--require-contained`: a package whose CloudCore lacks edgeadm's additions is refused. Default false. */
  readonly requireContained: boolean
  /**
   * `--edge-stream`: whether `kubectl logs`, `exec` and `attach` reach edge nodes. Undefined: as the cluster has it, and true in
   * a new one.
   */
  readonly stream: boolean | undefined
  /** What the user adds to the components' own configurations. No flags. */
  readonly components: Components
}

export interface HaSettings {
  /** `--ha`. Default `none`. */
  readonly mode: HaMode
  /** `--interface`: the network interface that carries the virtual address; undefined: that of the route to it. */
  readonly interface: string | undefined
  /** `--ha-virtual-router-id`: VRRP's number of this cluster on its network segment, 1-255; undefined: one that nobody uses there. */
  readonly virtualRouterId: number | undefined
}

/** What is downloaded where no package was named. */
export interface DownloadSettings {
  /** `--offline`: nothing. Default false. */
  readonly offline: boolean
  /** `--assert-offline`: the run fails if something reaches for outside of the cluster's networks. Default false. */
  readonly assertOffline: boolean
  /** `--site-network`: further networks (CIDR) or addresses that are not outside. */
  readonly siteNetworks: readonly string[]
  /** `--mirror`: base URLs with the publishers' paths and the registries' /v2/. */
  readonly mirrors: readonly string[]
  /** `--registry-mirror`: a registry's name -> base URLs. */
  readonly registryMirrors: Readonly<Record<string, readonly string[]>>
  /** `--registry-auth-file`: a file with logins, in Docker's format. */
  readonly registryAuthFile: string | undefined
  /** `--allow-unpinned`: mirrors are trusted with what edgeadm has no checksum for. Default false. */
  readonly allowUnpinned: boolean
  /** `--recipe`: what is downloaded, as `package build --manifest`; undefined: what comes with edgeadm. */
  readonly recipes: readonly string[] | undefined
  /** `--image-repository` of a join; init has it among kubeadm's settings. */
  readonly imageRepository: string | undefined
}

export interface PackageSettings {
  readonly downloads: DownloadSettings
  /** `--install-pkg-path`: a file, a folder or an http(s) URL. Undefined: no package was named. */
  readonly path: string | undefined
  /** `--install-pkg-sha256`: 64 hexadecimal digits, lower case. */
  readonly sha256: string | undefined
  /** `--install-pkg-public-key`: path of an ed25519 public key (PEM) or of a folder of such. Undefined: a signature is not asked for. */
  readonly publicKey: string | undefined
  /** `--allow-downgrade`: a signed package may be older than one that this machine has had. Default false. */
  readonly allowDowngrade: boolean
}
