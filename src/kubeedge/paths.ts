/** Where edgecore has its things; KubeEdge's own defaults. */

export const KUBEEDGE = '/etc/kubeedge'
export const EDGECORE_CONFIG = `${KUBEEDGE}/config/edgecore.yaml`
export const EDGECORE_UNIT = 'edgecore.service'
export const EDGECORE_UNIT_FILE = `/etc/systemd/system/${EDGECORE_UNIT}`
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
