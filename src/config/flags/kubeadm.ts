/**
 * kubeadm's flags, under kubeadm's names and with kubeadm's meaning. No flag carries a default here: only so is it known
 * whether a flag was given, and a flag that was given beats the `--config` file. Defaults stand in the description and
 * are applied by `resolveInit`, `resolveJoin` and `resolveReset`. Values are checked there too, so that all problems
 * are reported at once.
 */

import { boolean, string } from '@oclif/core/flags'

const text = (helpValue: string, description: string) => string({ helpValue, description })
const list = (helpValue: string, description: string) =>
  string({ helpValue, description, multiple: true, delimiter: ',' })

const config = text(
  'FILE',
  "A file with kubeadm's documents and edgeadm's EdgeConfiguration; a flag beats it.",
)
const dryRun = boolean({ description: 'Show what would be changed, with file diffs, and change nothing.' })
const ignorePreflightErrors = list(
  'CHECK,...',
  "Checks whose errors become warnings, e.g. 'IsPrivilegedUser,Swap'; 'all' ignores every check.",
)
const skipPhases = list('PHASE,...', 'Phases to leave out; a phase with parts takes its parts with it.')
const criSocket = text(
  'PATH',
  "The container runtime's socket (default unix:///run/containerd/containerd.sock).",
)
const nodeName = text('NAME', 'Name of the node (default: the host name).')
const patches = text(
  'DIRECTORY',
  'Directory of patches "target[suffix][+patchtype].extension", e.g. kube-apiserver0+merge.yaml or etcd.json.',
)
const certDir = text('DIRECTORY', 'Where certificates are kept (default /etc/kubernetes/pki).')
const bindPort = text('PORT', 'Port on which the API server listens (default 6443).')

export const kubeadmInitFlags = {
  'apiserver-advertise-address': text(
    'IP',
    'The address at which this API server is reached (default: that of the default route).',
  ),
  'apiserver-bind-port': bindPort,
  'apiserver-cert-extra-sans': list(
    'NAME,...',
    "Further names and IP addresses for the API server's certificate.",
  ),
  'cert-dir': certDir,
  'certificate-key': text(
    'HEX',
    'Key that encrypts the uploaded certificates: 32 bytes, hexadecimal (default: generated).',
  ),
  config,
  'control-plane-endpoint': text('HOST[:PORT]', 'A stable address or DNS name of the whole control plane.'),
  'cri-socket': criSocket,
  'dry-run': dryRun,
  'feature-gates': text('NAME=BOOL,...', "kubeadm's feature gates."),
  'ignore-preflight-errors': ignorePreflightErrors,
  'image-repository': text('REGISTRY', "Registry of the control plane's images (default registry.k8s.io)."),
  'kubernetes-version': text(
    'VERSION',
    'Kubernetes version, e.g. v1.33.13 or stable-1.33 (default: the newest in the package).',
  ),
  'node-name': nodeName,
  patches,
  'pod-network-cidr': text(
    'CIDR',
    'Range of Pod addresses; each node gets a part of it (default 10.244.0.0/16 with --cni=flannel).',
  ),
  'service-cidr': text('CIDR', 'Range of Service addresses (default 10.96.0.0/12).'),
  'service-dns-domain': text('DOMAIN', 'DNS domain of Services (default cluster.local).'),
  'skip-certificate-key-print': boolean({ description: 'Leave the certificate key out of the output.' }),
  'skip-phases': skipPhases,
  'skip-token-print': boolean({ description: 'Leave the bootstrap token out of the output.' }),
  token: text('TOKEN', 'Bootstrap token, [a-z0-9]{6}.[a-z0-9]{16} (default: generated).'),
  'token-ttl': text('DURATION', "How long the token lives, e.g. 30m or 3h; '0': for ever (default 24h0m0s)."),
  'upload-certs': boolean({
    description: 'Upload the control plane certificates, encrypted, for further masters.',
  }),
}

export const kubeadmJoinFlags = {
  'apiserver-advertise-address': text(
    'IP',
    "With --control-plane: the address at which this machine's API server is reached (default: that of the default route).",
  ),
  'apiserver-bind-port': text(
    'PORT',
    "With --control-plane: port of this machine's API server (default 6443).",
  ),
  'certificate-key': text('HEX', 'With --control-plane: key that decrypts the certificates init uploaded.'),
  config,
  'control-plane': boolean({ description: 'Make this machine a further master.' }),
  'cri-socket': criSocket,
  'discovery-file': text(
    'FILE|URL',
    'A kubeconfig file, or an https URL of one, that describes the cluster.',
  ),
  'discovery-token': text('TOKEN', 'Token that vouches for what the API server says of the cluster.'),
  'discovery-token-ca-cert-hash': list(
    'sha256:HEX',
    "Hash of the cluster CA's public key; may be given several times.",
  ),
  'discovery-token-unsafe-skip-ca-verification': boolean({
    description: 'Join without a CA hash: anyone who knows the token can then pose as the control plane.',
  }),
  'dry-run': dryRun,
  'ignore-preflight-errors': ignorePreflightErrors,
  'node-name': nodeName,
  patches,
  'skip-phases': skipPhases,
  'tls-bootstrap-token': text('TOKEN', 'Token with which the kubelet asks for its certificate.'),
  token: text('TOKEN', 'Token for both --discovery-token and --tls-bootstrap-token.'),
}

export const kubeadmResetFlags = {
  'cert-dir': certDir,
  'cleanup-tmp-dir': boolean({ description: 'Also empty /etc/kubernetes/tmp.' }),
  config,
  'cri-socket': criSocket,
  'dry-run': dryRun,
  force: boolean({ char: 'f', description: 'Do not ask.' }),
  'ignore-preflight-errors': ignorePreflightErrors,
  kubeconfig: text('FILE', 'Credentials for the cluster (default /etc/kubernetes/admin.conf).'),
  'skip-phases': skipPhases,
}

/** Of every `token` command. */
export const kubeadmTokenFlags = {
  'dry-run': boolean({ description: 'Show what would be done and do nothing.' }),
  kubeconfig: text('FILE', 'Credentials for the cluster (default /etc/kubernetes/admin.conf).'),
}

export const kubeadmTokenCreateFlags = {
  ...kubeadmTokenFlags,
  'certificate-key': text(
    'HEX',
    'With --print-join-command: print the line for a further master, with this key.',
  ),
  'control-plane': boolean({
    description:
      'With --print-join-command: upload the certificates that masters share anew, and print the line for a further master.',
  }),
  config: text(
    'FILE',
    "A file with kubeadm's InitConfiguration, whose first bootstrapTokens entry is created.",
  ),
  description: text('TEXT', 'What the token is for.'),
  groups: list(
    'GROUP,...',
    'Groups that the token authenticates as (default system:bootstrappers:kubeadm:default-node-token).',
  ),
  edge: boolean({
    description:
      "A token for edge nodes that reach CloudCore's ports only (default ttl 15m); it cannot be taken back.",
  }),
  'print-join-command': boolean({ description: 'Print the whole join line instead of the token alone.' }),
  ttl: text('DURATION', "How long the token lives, e.g. 30m or 3h; '0': for ever (default 24h0m0s)."),
  usages: list('USAGE,...', 'What it may be used for: signing, authentication (default both).'),
}
