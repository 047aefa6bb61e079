/** Where lite-apiserver has its things on a node, and the names by which SuperEdge knows such nodes. */

/** Of an edge node of SuperEdge. NodeRestriction lets the kubelet set it by itself. */
export const EDGE_LABEL = 'superedge.io/edge-node'
export const EDGE_LABEL_VALUE = 'enable'

const DIRECTORY = '/etc/lite-apiserver'
export const LITE = {
  directory: DIRECTORY,
  binary: 'lite-apiserver',
  unit: 'lite-apiserver.service',
  unitFile: '/etc/systemd/system/lite-apiserver.service',
  kubeletDropIn: '/etc/systemd/system/kubelet.service.d/20-lite-apiserver.conf',
  /** Whatever nodes ask for, Secrets among it. */
  state: '/var/lib/lite-apiserver',
  cache: '/var/lib/lite-apiserver/cache',
  clusterCa: `${DIRECTORY}/cluster-ca.crt`,
  nodeCa: `${DIRECTORY}/node-ca.crt`,
  certificate: `${DIRECTORY}/server.crt`,
  key: `${DIRECTORY}/server.key`,
  tlsConfig: `${DIRECTORY}/tls.json`,
  portGuard: `${DIRECTORY}/guard-port`,
  /** A kubeconfig without credentials: what kubeadm finds the cluster with. */
  discovery: `${DIRECTORY}/discovery.conf`,
} as const

/** SuperEdge's own number. Loopback only. */
export const LITE_ADDRESS = '127.0.0.1'
export const LITE_PORT = 51003
export const LITE_URL = `https://${LITE_ADDRESS}:${LITE_PORT}`

/** The kubelet's own certificate, with which lite-apiserver speaks for it. */
export const KUBELET_CERTIFICATE = '/var/lib/kubelet/pki/kubelet-client-current.pem'
