/** Where edgecore has its things; KubeEdge's own defaults. */

export const KUBEEDGE = '/etc/kubeedge'
export const EDGECORE_CONFIG = `${KUBEEDGE}/config/edgecore.yaml`
export const EDGECORE_UNIT = 'edgecore.service'
export const EDGECORE_UNIT_FILE = `/etc/systemd/system/${EDGECORE_UNIT}`
/** Closes the kubelet's port to all but root. */
export const EDGECORE_PORT_GUARD = `${KUBEEDGE}/guard-port`
/** The kubelet inside edgecore answers there, on loopback, whoever asks, and runs commands in Pods. */
export const EDGECORE_KUBELET_PORT = 10350
export const EDGE_CA = `${KUBEEDGE}/ca/rootCA.crt`
export const EDGE_CERTIFICATE = `${KUBEEDGE}/certs/server.crt`
export const EDGE_KEY = `${KUBEEDGE}/certs/server.key`
/** Public keys of ServiceAccount tokens, for the secure MetaServer. */
export const SERVICE_ACCOUNT_KEYS = `${KUBEEDGE}/pki/service-account.pub`
/** The cluster's CA, which edgecore fetches for the secure MetaServer. */
export const METASERVER_CA = `${KUBEEDGE}/pki/metaserver/ca.crt`
export const METASERVER = '127.0.0.1:10550'
export const METASERVER_FOR_PODS = '169.254.30.10:10550'
/** The interface that carries the latter's address. */
export const METASERVER_LINK = 'edge-dummy0'
