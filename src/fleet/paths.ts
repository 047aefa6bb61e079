/** What a fleet keeps on its hosts. All of it goes when a host leaves. */

/** 0700. `applied.json`, `package/SHA256.…`, `run/`. */
export const FLEET_DIRECTORY = '/var/lib/edgeadm-fleet'
export const RECORD = `${FLEET_DIRECTORY}/applied.json`
/** There while the fleet is who brought the executable: it goes with it. */
export const OWNS_EXECUTABLE = `${FLEET_DIRECTORY}/owns-executable`
export const EXECUTABLE = '/usr/local/bin/edgeadm'

/** Of the nodes that a fleet looks after; the value is the cluster's name. */
export const FLEET_LABEL = 'edgeadm.io/fleet'
/** What was last applied to a node: labels and taints. */
export const APPLIED_ANNOTATION = 'edgeadm.io/fleet-applied'

/** With the package's own extension: its format is known by it. */
export const packagePath = (sha256: string, name: string): string =>
  `${FLEET_DIRECTORY}/package/${sha256}${/\.tar(\.\w+)?$/.exec(name)?.[0] ?? ''}`
