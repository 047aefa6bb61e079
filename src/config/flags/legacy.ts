/**
 * The flags of SuperEdge's edgeadm 0.9 that neither kubeadm nor edgeadm has under the same name. A command line written
 * for it is either honoured or answered with one sentence that names what replaces the flag; none is ignored.
 * (Flags with the same name and meaning are not here: `--enable-edge`, `--install-pkg-path`, `--interface` and all of kubeadm's.)
 */

export type LegacyCommand = 'init' | 'join' | 'reset'

export type LegacyFlag = {
  readonly commands: readonly LegacyCommand[]
  readonly takesValue: boolean
} & (
  | {
      /** What it is turned into, for a value; undefined where the value has no counterpart and `sentence` answers. */
      readonly honour: (value: string) => readonly string[] | undefined
      readonly sentence: string
    }
  | { readonly honour?: undefined; readonly sentence: string }
)

const node = ['init', 'join'] as const
const every = ['init', 'join', 'reset'] as const

export const legacyFlags: Readonly<Record<string, LegacyFlag>> = {
  'worker-path': {
    commands: every,
    takesValue: true,
    sentence:
      '--worker-path is gone: edgeadm unpacks below /var/lib/edgeadm; leave the flag out, and make room there or mount a disk on it',
  },
  'manifests-dir': {
    commands: ['init'],
    takesValue: true,
    sentence:
      '--manifests-dir is gone: change static Pods with --patches, and cluster objects with kubectl after init; edgeadm gives way to no other field manager but its own',
  },
  'edge-version': {
    commands: ['init'],
    takesValue: true,
    sentence:
      "--edge-version is gone: the edge parts' versions are those in the package; build another with edgeadm package build",
  },
  'edge-image-repository': {
    commands: ['init'],
    takesValue: true,
    sentence:
      '--edge-image-repository is gone: the edge parts come from the package and are pulled from nowhere; leave the flag out',
  },
  'edge-virtual-addr': {
    commands: ['init'],
    takesValue: true,
    sentence:
      "--edge-virtual-addr is gone: the edge API listens on KubeEdge's 127.0.0.1 and 169.254.30.10, which --metaserver chooses between; leave the flag out",
  },
  'default-ha': {
    commands: node,
    takesValue: true,
    honour: (value) => (value === '' ? ['--ha=none'] : undefined),
    sentence:
      '--default-ha=kube-vip is gone: use --ha=haproxy-keepalived with --control-plane-endpoint VIP:8443, or --ha=external for a balancer of your own',
  },
  runtime: {
    commands: node,
    takesValue: true,
    honour: (value) => (value === 'containerd' ? [] : undefined),
    sentence:
      '--runtime takes only containerd: Kubernetes no longer speaks to Docker; for another CRI runtime use --skip-phases=runtime/containerd with --cri-socket',
  },
  'ignore-runtime': {
    commands: node,
    takesValue: false,
    honour: (value) => (value === 'false' ? [] : ['--skip-phases=runtime/containerd']),
    sentence: '--ignore-runtime takes true or false; --skip-phases=runtime/containerd replaces it',
  },
  'pod-infra-container-image': {
    commands: ['join'],
    takesValue: true,
    sentence:
      "--pod-infra-container-image is gone: containerd's configuration names the sandbox image, which comes from the package; leave the flag out",
  },
}
