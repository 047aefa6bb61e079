/**
 * What the phases of a run read: one resolved, checked, immutable object per command. Flags, `--config` and what the
 * machine says have been merged; nothing here is optional because somebody forgot it.
 */

import type { EdgeTicket } from '../kubeedge/edge-ticket.ts'
import type { Cni, EdgeSettings, HaSettings, PackageSettings, Taint } from './edge-configuration.ts'

/** One of kubeadm's or the kubelet's documents as the user wrote it: unknown fields stay. */
export type PlainDocument = Readonly<Record<string, unknown>>

/** The user's documents from `--config`, by kind. They pass through into the generated file. */
export interface UserDocuments {
  readonly InitConfiguration?: PlainDocument
  readonly ClusterConfiguration?: PlainDocument
  readonly JoinConfiguration?: PlainDocument
  readonly ResetConfiguration?: PlainDocument
  readonly KubeletConfiguration?: PlainDocument
  readonly KubeProxyConfiguration?: PlainDocument
}

export interface NodeSettings {
  /** Lower case; `--node-name`, else the host name. */
  readonly name: string
  /**
   * The IP address under which others reach this machine: `--node-ip`, else the advertise address of a master, else the one
   * from which the kernel sends to the control plane (an edge node: to CloudCore).
   */
  readonly address: string
  /** Whether the user named the address: then nothing is looked up. */
  readonly isAddressGiven: boolean
  /** What the kubelet is told (`--node-ip`, two with a comma for dual stack); undefined: the address is on no interface here (NAT). */
  readonly kubeletAddress: string | undefined
  /** With its scheme: `unix:///run/containerd/containerd.sock`. */
  readonly criSocket: string
  /** `--node-labels`: put on the node by the kubelet when it registers. */
  readonly labels: Readonly<Record<string, string>>
  /** `--node-taints`; undefined: kubeadm's default for the role (the control-plane taint, or none). */
  readonly taints: readonly Taint[] | undefined
}

/** What a machine is in the cluster: a master runs the control plane, an edge node reaches the cluster over a network of its own. */
export type Role = 'master' | 'worker' | 'edge'

interface CommonSettings {
  readonly role: Role
  /** With its `v`: `v1.33.13`. */
  readonly kubernetesVersion: string
  readonly node: NodeSettings
  readonly package: PackageSettings
  readonly edge: EdgeSettings
  readonly ha: HaSettings
  readonly cni: Cni
  readonly dryRun: boolean
  readonly skipPhases: readonly string[]
  /** Names of checks in lower case; `all` stands for every check. */
  readonly ignorePreflightErrors: readonly string[]
  /** `--patches`: kubeadm's directory of patches. */
  readonly patchesDirectory: string | undefined
  /** What the user's file says; see `kubernetes/kubeadm-config.ts`. */
  readonly documents: UserDocuments
  /** Sentences that the user should see once: unknown fields, deprecated versions. */
  readonly warnings: readonly string[]
}

export interface InitSettings extends CommonSettings {
  readonly command: 'init'
  readonly role: 'master'
  /** `--enable-edge`: whether the cluster gets a cloud side for edge nodes. Later runs ask the cluster for it. */
  readonly cloudSide: boolean
  /** `--apiserver-advertise-address`, else detected; an IP address. */
  readonly advertiseAddress: string
  /** `--apiserver-bind-port`, default 6443. */
  readonly bindPort: number
  /** `--control-plane-endpoint` with its port; undefined: none. */
  readonly controlPlaneEndpoint: string | undefined
  /** `--apiserver-cert-extra-sans`. */
  readonly certSANs: readonly string[]
  /** `--pod-network-cidr`; `10.244.0.0/16` with flannel; undefined: none. Two, separated by a comma, for dual stack. */
  readonly podSubnet: string | undefined
  readonly serviceSubnet: string
  readonly dnsDomain: string
  readonly imageRepository: string
  /** `--cert-dir`, default `/etc/kubernetes/pki`. */
  readonly certDir: string
  readonly featureGates: Readonly<Record<string, boolean>>
  /** Secret. Given or generated, so that the bootstrap-token phase and the printed join line agree. */
  readonly token: string
  /** Milliseconds; 0: never expires. */
  readonly tokenTtl: number
  readonly uploadCerts: boolean
  /** Secret, 64 hexadecimal digits. Given, or generated when certificates are uploaded; else undefined. */
  readonly certificateKey: string | undefined
  readonly skipTokenPrint: boolean
  readonly skipCertificateKeyPrint: boolean
}

export type JoinDiscovery =
  | {
      readonly kind: 'token'
      /** Secret. */
      readonly token: string
      /** `host:port` of the API server. */
      readonly endpoint: string
      /** `sha256:<64 hexadecimal digits>`; empty only with `unsafeSkipCAVerification`. */
      readonly caCertHashes: readonly string[]
      readonly unsafeSkipCAVerification: boolean
    }
  /** `--discovery-file`: a kubeconfig file or an https URL of one. */
  | { readonly kind: 'file'; readonly path: string }
  /** `--edge-token`: for an edge node that reaches CloudCore's ports only. Secret. */
  | { readonly kind: 'ticket'; readonly ticket: EdgeTicket }

export interface JoinSettings extends CommonSettings {
  readonly command: 'join'
  readonly discovery: JoinDiscovery
  /** Secret. Undefined only with a discovery file that carries its own credentials. */
  readonly tlsBootstrapToken: string | undefined
  /** Set for a master, and only then. */
  readonly controlPlane:
    | {
        readonly advertiseAddress: string
        readonly bindPort: number
        /** Secret. */
        readonly certificateKey: string | undefined
      }
    | undefined
}

export interface ResetSettings {
  readonly command: 'reset'
  /** `--force`: no question is asked. */
  readonly force: boolean
  /** `--remove-node`: also delete this machine's Node object, with the credentials found here. */
  readonly removeNode: boolean
  readonly certDir: string
  /** Undefined: what edgeadm recorded, else kubeadm's own detection. */
  readonly criSocket: string | undefined
  readonly cleanupTmpDir: boolean
  readonly kubeconfig: string
  readonly dryRun: boolean
  readonly skipPhases: readonly string[]
  readonly ignorePreflightErrors: readonly string[]
  readonly documents: UserDocuments
  readonly warnings: readonly string[]
}

export interface InterfaceAddress {
  readonly address: string
  readonly prefixLength: number
  readonly family: 4 | 6
}

export interface NetworkInterface {
  readonly name: string
  readonly up: boolean
  readonly loopback: boolean
  /** In the kernel's order. */
  readonly addresses: readonly InterfaceAddress[]
}

export interface Route {
  /** A CIDR, or `default`. */
  readonly destination: string
  readonly interface: string
  readonly family: 4 | 6
  /** Smaller wins. */
  readonly metric: number
  /** The address that the kernel would send from, where the route names one. */
  readonly source: string | undefined
}

/** What the machine says; gathered once by `config/facts.ts`, given as plain data in tests. */
export interface HostFacts {
  readonly hostname: string
  readonly interfaces: readonly NetworkInterface[]
  readonly routes: readonly Route[]
}

/** What the package (or, without one, the kubeadm that is installed) offers. */
export interface VersionFacts {
  /** With their `v`. Empty: nothing is known, and a version has to be taken on trust. */
  readonly kubernetesVersions: readonly string[]
  /** Where they were found, for messages: the package's path, or "the kubeadm on this machine". */
  readonly source: string
}
