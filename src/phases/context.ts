import type { EdgeRuntime } from '../config/edge-configuration.ts'
import type { InitSettings, JoinSettings } from '../config/types.ts'
import { STATE_DIRECTORY } from '../host/ledger.ts'
import type { PackageManifest } from '../package/index.ts'
import type { PhaseContext } from './workflow.ts'

/** What the phases of `init` and `join` are given: the same node phases serve both. */
export interface NodeContext extends PhaseContext {
  readonly settings: InitSettings | JoinSettings
  /** Of the package named by `--install-pkg-path`; undefined without one (then everything must be installed already). */
  readonly manifest: PackageManifest | undefined
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

export const ADMIN_CONF = '/etc/kubernetes/admin.conf'

/** Whether this machine will run a control plane. */
export function isControlPlane(settings: InitSettings | JoinSettings): boolean {
  return settings.command === 'init' || settings.controlPlane !== undefined
}

/** Whether this machine will run edgecore instead of a kubelet. */
export function isEdge(settings: InitSettings | JoinSettings): boolean {
  return runsOnEdge(settings, 'kubeedge')
}

/** Whether this machine's kubelet will speak to lite-apiserver instead of the API server. */
export function isSuperEdge(settings: InitSettings | JoinSettings): boolean {
  return runsOnEdge(settings, 'superedge')
}

function runsOnEdge(settings: InitSettings | JoinSettings, runtime: EdgeRuntime): boolean {
  const isEdgeNode = settings.command === 'join' && settings.enableEdge && settings.controlPlane === undefined
  return isEdgeNode && settings.edge.runtime === runtime
}

/** The environment for kubeadm: it looks for the kubelet and others in PATH. */
export const KUBEADM_ENV = { PATH: `${BIN}:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin` }
