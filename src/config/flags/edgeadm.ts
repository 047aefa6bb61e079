/** edgeadm's own flags. Each has a field in `EdgeConfiguration`. As for kubeadm's flags, defaults are applied later. */

import { boolean, string } from '@oclif/core/flags'
import { CNI_CHOICES, EDGE_RUNTIMES, HA_MODES, META_SERVER_MODES } from '../edge-configuration.ts'

const text = (helpValue: string, description: string) => string({ helpValue, description })
const list = (helpValue: string, description: string) =>
  string({ helpValue, description, multiple: true, delimiter: ',' })
/** As `list`, for words that have commas of their own. */
const words = (helpValue: string, description: string) => string({ helpValue, description, multiple: true })
const choice = (choices: readonly string[], description: string) =>
  string({ helpValue: choices.join('|'), description })

const packageFlags = {
  'install-pkg-path': text('FILE|URL', 'The offline package: a file, an unpacked folder or a URL.'),
  'install-pkg-sha256': text('HEX', 'SHA-256 that the package must have.'),
  'install-pkg-public-key': text(
    'FILE|DIR',
    'Ed25519 public key (PEM), or a folder of such: a package that their owners did not sign is refused (default /etc/edgeadm/keyring, if it has keys).',
  ),
  'allow-downgrade': boolean({
    allowNo: true,
    description: 'Take a signed package although this machine has had a newer one (default false).',
  }),
}

const downloadFlags = {
  offline: boolean({
    allowNo: true,
    description: 'Download nothing: without --install-pkg-path everything must be installed already.',
  }),
  'assert-offline': boolean({
    allowNo: true,
    description:
      "Fail at the end if a program on this machine tried to reach an address outside of the cluster's networks, and name it (default false; implies --offline).",
  }),
  'site-network': list(
    'CIDR|IP',
    'With --assert-offline: a network of yours that is not outside; may be given several times.',
  ),
  mirror: list(
    'URL',
    "Server with the publishers' paths and the registries' /v2/, asked before them; may be given several times.",
  ),
  'registry-mirror': words(
    'REGISTRY=URL[,URL...]',
    'Servers asked before a registry, e.g. registry.k8s.io=https://mirror.example.org; may be given several times.',
  ),
  recipe: words(
    'FILE|NAME',
    'What to download, as for `package build --manifest` (default: what comes with edgeadm); may be given several times.',
  ),
  'registry-auth-file': text(
    'FILE',
    "Logins for registries and mirrors, in the format of Docker's config.json.",
  ),
  'allow-unpinned': boolean({
    allowNo: true,
    description:
      'Take from mirrors, too, what edgeadm has no checksum for, and trust what they give (default false).',
  }),
}

const enableEdge = (description: string) => boolean({ allowNo: true, description })

const nodeFlags = {
  'node-ip': text(
    'IP',
    "Address of this node in the cluster (default: the advertise address of the first master; else the one from which the control plane, or an edge node's CloudCore, is reached).",
  ),
  'node-labels': list('KEY=VALUE,...', 'Labels that the node registers with.'),
  'node-taints': list('KEY[=VALUE]:EFFECT,...', "Taints that the node registers with; '' for none."),
}

const edgeNodeFlags = {
  'edge-runtime': choice(
    EDGE_RUNTIMES,
    'What runs on edge nodes (default kubeedge; superedge is experimental).',
  ),
  metaserver: choice(
    META_SERVER_MODES,
    'How Pods on the edge reach the API: secure = token and RBAC, plain = loopback only but also starts offline (default secure).',
  ),
}

const haFlags = {
  ha: choice(
    HA_MODES,
    'Who balances the control plane endpoint: none, haproxy and keepalived on the masters, or something external (default none).',
  ),
  interface: text(
    'NAME',
    'Network interface for the virtual address of --ha=haproxy-keepalived (default: that of the route to it).',
  ),
  'ha-virtual-router-id': text(
    '1-255',
    "VRRP's number for this cluster on its network segment (default: derived from the virtual address, one that nobody uses).",
  ),
}

export const edgeadmInitFlags = {
  ...packageFlags,
  ...downloadFlags,
  'enable-edge': enableEdge('Install the cloud side of the edge (default true).'),
  cni: choice(CNI_CHOICES, 'Pod network to install (default flannel).'),
  ...nodeFlags,
  ...edgeNodeFlags,
  ...haFlags,
  'cloud-address': list(
    'NAME|IP',
    'Where edge nodes reach the cloud side; may be given several times (default: the control plane endpoint).',
  ),
  'require-contained': boolean({
    allowNo: true,
    description:
      "Refuse a package whose CloudCore is the publisher's own, which lets an edge node act as others (default false).",
  }),
  'edge-stream': boolean({
    allowNo: true,
    description:
      'Let kubectl logs, exec and attach reach edge nodes, through port 10004 of the cloud side (default true).',
  }),
  edgemesh: boolean({
    allowNo: true,
    description: 'Install EdgeMesh, Services across edges (default: when the package has it).',
  }),
  'edgemesh-relay': words(
    'NODE[=IP,...]',
    'Node that relays for edges that cannot reach each other, and where they reach it; may be given several times (default: the masters).',
  ),
  'edgemesh-gateway': list(
    'NODE',
    'Node that lets traffic from outside into the mesh; may be given several times.',
  ),
}

export const edgeadmJoinFlags = {
  ...packageFlags,
  ...downloadFlags,
  'image-repository': text(
    'REGISTRY',
    "Registry that init took the control plane's images from, for downloads (default registry.k8s.io).",
  ),
  'enable-edge': enableEdge(
    'Join as an edge node; false makes a plain worker (default true, false for masters).',
  ),
  ...nodeFlags,
  ...edgeNodeFlags,
  ...haFlags,
  'edge-token': text(
    'TEXT',
    "What `edgeadm token create --edge` prints: an edge node joins with it through CloudCore's ports alone.",
  ),
  'cloud-address': list(
    'NAME|IP',
    'Where this edge node reaches the cloud side (default: what the cluster says).',
  ),
}

export const edgeadmResetFlags = {
  'remove-node': boolean({
    description:
      "Also delete this machine's Node object from the cluster. With NODE, on a master: only take that node out of the cluster.",
  }),
}
