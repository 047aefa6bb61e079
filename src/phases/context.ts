import type { EdgeRuntime } from '../config/edge-configuration.ts'
import type { InitSettings, JoinSettings } from '../config/types.ts'
import { STATE_DIRECTORY } from '../host/ledger.ts'
import type { OutsideTraffic } from '../network/outside-traffic.ts'
import type { PackageManifest, PackageRole } from '../package/index.ts'
import type { PhaseContext } from './workflow.ts'

/** What the phases of `init` and `join` are given: the same node phases serve both. */
export interface NodeContext extends PhaseContext {
  readonly settings: InitSettings | JoinSettings
  /** Of the package named by `--install-pkg-path`; undefined without one (then everything must be installed already). */
  readonly manifest: PackageManifest | undefined
  /** The file that drives kubeadm in this run; default {@link KUBEADM_CONFIG}. */
  readonly kubeadmConfig?: string | undefined
  /** In an upgrade: containerd keeps the proxy that it has, whatever the caller's environment says. */
  readonly keepsProxy?: boolean
  /** In `init` and `join`. */
  readonly outside?: OutsideTraffic
}

export interface InitContext extends NodeContext {
  readonly settings: InitSettings
}

export interface JoinContext extends NodeContext {
  readonly settings: JoinSettings
}

/** Where the package is unpacked while a run lasts. */
export const UNPACKED = `${STATE_DIRECTORY}/package`

/** Packages from an URL, until a run is through: the next attempt goes on with a download that broke off. */
export const DOWNLOADS = `${STATE_DIRECTORY}/downloads`

/** The manifest of the package that this machine was set up from; there once a run was finished. */
export const INSTALLED_PACKAGE = `${STATE_DIRECTORY}/package.json`

/** The one kubeadm configuration file of this machine; it holds the token, so its mode is 0600. */
export const KUBEADM_CONFIG = `${STATE_DIRECTORY}/kubeadm.yaml`

/** Where binaries go: before /usr/bin in every distribution's PATH, and not the package manager's. */
export const BIN = '/usr/local/bin'

export { ADMIN_CONF, KUBELET_CONF } from '../kubernetes/paths.ts'

/** Whether this machine will run a control plane. */
export function isControlPlane(settings: InitSettings | JoinSettings): boolean {
  return settings.role === 'master'
}

/** Whether this machine will run edgecore instead of a kubelet. */
export function isEdge(settings: InitSettings | JoinSettings): boolean {
  return runsOnEdge(settings, 'kubeedge')
}

/** What this machine needs of a package: SuperEdge's edge nodes run a kubelet, as workers do. */
export function packageRole(settings: InitSettings | JoinSettings): PackageRole {
  if (isEdge(settings)) return 'edge'
  return isControlPlane(settings) ? 'master' : 'worker'
}

/** Whether this machine's kubelet will speak to lite-apiserver instead of the API server. */
export function isSuperEdge(settings: InitSettings | JoinSettings): boolean {
  return runsOnEdge(settings, 'superedge')
}

function runsOnEdge(settings: InitSettings | JoinSettings, runtime: EdgeRuntime): boolean {
  return settings.role === 'edge' && settings.edge.runtime === runtime
}

/** The environment for kubeadm: it looks for the kubelet and others in PATH. */
export const KUBEADM_ENV = { PATH: `${BIN}:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin` }
