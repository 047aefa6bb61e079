/** Input that is wrong: one clear sentence, the documented exit code, and a machine that stays as it was. */

import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newSigner, signedEntries } from '../package/signed.ts'
import { entriesOf, manifestOf, tarOf } from '../package/synthetic.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { runEdgeadm } from './edgeadm-run.ts'
import { changesOf } from './machine-changes.ts'
import { useLab } from './machines.ts'

const lab = useLab({ masters: 1, workers: 1, executable: EXECUTABLE, package: PACKAGE })
const good = `/root/${basename(PACKAGE)}`
const WITH_PACKAGE = [`--install-pkg-path=${good}`]
const INIT = ['init', ...WITH_PACKAGE, '--config=/root/cluster.yaml', '--enable-edge=false']
/** In memory: files here are not part of the machine's disk. */
const TMP = '/run/bad'

async function put(machine: string, name: string, content: string | Buffer): Promise<string> {
  await lab.run(machine, ['sh', '-c', `mkdir -p ${TMP} && cat >${TMP}/${name}`], { input: content })
  return `${TMP}/${name}`
}

interface Refusal {
  readonly what: string
  /** After `edgeadm`. */
  readonly args: readonly string[]
  readonly exitCode: number
  /** The sentence, after "error: ". */
  readonly says: RegExp
  /** What else is on stderr: details, the fix. */
  readonly also?: RegExp
}

describe('refused at once', () => {
  beforeAll(async () => {
    await lab.run('worker-1', ['sh', '-c', `mkdir -p ${TMP} && head -c 20000000 ${good} >${TMP}/cut.tar.zst`])
    await put('worker-1', 'noise.tar.zst', 'not a package')
    await put('worker-1', 'arm.tar', tarOf(entriesOf(manifestOf(undefined, { arch: 'arm64' }))))
    await put('worker-1', 'key.pub', newSigner().publicPem)
    await put('worker-1', 'signed.tar', tarOf(signedEntries(newSigner().key)))
    await put(
      'worker-1',
      'unknown-field.yaml',
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking:\n  podSubnet: 10.244.0.0/40\n',
    )
    await put(
      'worker-1',
      'twice.yaml',
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n',
    )
    const args = 'nodeRegistration:\n  kubeletExtraArgs: {v: "2"}\n'
    await put('worker-1', 'map.yaml', `apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n${args}`)
    await put('worker-1', 'broken.yaml', 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: [\n')
  })
  afterAll(async () => {
    expect(await changesOf(lab, 'worker-1')).toEqual([])
  })

  const join = (...args: string[]): string[] => [
    'join',
    '10.123.0.11:6443',
    ...WITH_PACKAGE,
    '--enable-edge=false',
    ...args,
  ]
  const hash = `--discovery-token-ca-cert-hash=sha256:${'0'.repeat(64)}`
  const refusals: Refusal[] = [
    {
      what: 'no package, nothing installed, and no way out',
      args: ['init', '--enable-edge=false'],
      exitCode: 4,
      says: /no package was given, and \d+ of \d+ components cannot be downloaded: no server answers/,
      also: /--install-pkg-path/,
    },
    {
      what: 'no package, nothing installed, and --offline',
      args: ['init', '--enable-edge=false', '--offline'],
      exitCode: 3,
      says: /this machine cannot become a master yet/,
      also: /\[ERROR Package\]: .*--install-pkg-path/,
    },
    {
      what: 'a package that is not there',
      args: ['init', '--install-pkg-path=/root/none.tar.zst'],
      exitCode: 4,
      says: /there is no package at \/root\/none\.tar\.zst/,
    },
    {
      what: 'a truncated package',
      args: ['init', `--install-pkg-path=${TMP}/cut.tar.zst`, '--enable-edge=false'],
      exitCode: 4,
      says: /cut\.tar\.zst is truncated/,
    },
    {
      what: 'a file that is no package',
      args: ['init', `--install-pkg-path=${TMP}/noise.tar.zst`],
      exitCode: 4,
      says: /noise\.tar\.zst is not an edgeadm package/,
    },
    {
      what: 'a package for another architecture',
      args: ['init', `--install-pkg-path=${TMP}/arm.tar`],
      exitCode: 4,
      says: /arm\.tar is for .*arm64.*amd64/,
    },
    {
      what: 'a package that nobody signed, where a key is given',
      args: ['init', ...WITH_PACKAGE, `--install-pkg-public-key=${TMP}/key.pub`],
      exitCode: 4,
      says: /is not signed, but a public key was given/,
      also: /get the signed package/,
    },
    {
      what: 'a package that somebody else signed',
      args: ['join', `--install-pkg-path=${TMP}/signed.tar`, `--install-pkg-public-key=${TMP}/key.pub`],
      exitCode: 4,
      says: /the signature of .*signed\.tar does not fit its manifest and the given key/,
    },
    {
      what: 'a key that is none',
      args: ['init', ...WITH_PACKAGE, '--install-pkg-public-key=/etc/hostname'],
      exitCode: 2,
      says: /\/etc\/hostname cannot be read as a public key/,
    },
    {
      what: 'a key and no package',
      args: ['init', `--install-pkg-public-key=${TMP}/key.pub`],
      exitCode: 2,
      says: /--install-pkg-public-key: no package was named whose signature it could check/,
    },
    {
      what: 'a version that the package does not have',
      args: ['init', ...WITH_PACKAGE, '--kubernetes-version=v1.30.1'],
      exitCode: 4,
      says: /--kubernetes-version: Kubernetes v1\.30\.1 is not at hand: .* has v1\.33\.\d+/,
    },
    {
      what: 'an invalid CIDR',
      args: ['init', ...WITH_PACKAGE, '--pod-network-cidr=10.244.0.0/33'],
      exitCode: 2,
      says: /--pod-network-cidr: invalid value "10\.244\.0\.0\/33"/,
    },
    {
      what: 'Pod and Service networks that overlap',
      args: ['init', ...WITH_PACKAGE, '--pod-network-cidr=10.96.0.0/16'],
      exitCode: 2,
      says: /the Pod network 10\.96\.0\.0\/16 overlaps the Service network 10\.96\.0\.0\/12/,
    },
    {
      what: 'a Pod network over the node network',
      args: ['init', ...WITH_PACKAGE, '--pod-network-cidr=10.123.0.0/16'],
      exitCode: 2,
      says: /the Pod network 10\.123\.0\.0\/16 overlaps the node network 10\.123\.0\.51\/24 of host0/,
    },
    {
      what: 'an unknown flag',
      args: ['init', '--pod-netwrk-cidr=10.244.0.0/16'],
      exitCode: 2,
      says: /unknown flag: --pod-netwrk-cidr/,
      also: /did you mean --pod-network-cidr\?/,
    },
    {
      what: 'an unknown phase to skip',
      args: ['init', ...WITH_PACKAGE, '--skip-phases=adon/kube-proxy'],
      exitCode: 2,
      says: /invalid phase name: adon\/kube-proxy/,
      also: /did you mean addon\/kube-proxy\?/,
    },
    {
      what: 'an unknown phase',
      args: ['init', 'phase', 'certs', 'cb'],
      exitCode: 2,
      says: /invalid phase name: certs\/cb/,
      also: /did you mean certs\/ca\?/,
    },
    {
      what: 'a --config that is not there',
      args: ['init', '--config=/root/none.yaml'],
      exitCode: 2,
      says: /--config: cannot read \/root\/none\.yaml: there is no such file/,
    },
    {
      what: 'a --config that is no YAML',
      args: ['init', ...WITH_PACKAGE, `--config=${TMP}/broken.yaml`],
      exitCode: 2,
      says: /broken\.yaml:\d+: not valid YAML/,
    },
    {
      what: 'a --config with a bad value, by file, line and field',
      args: ['init', ...WITH_PACKAGE, `--config=${TMP}/unknown-field.yaml`],
      exitCode: 2,
      says: /unknown-field\.yaml:4: networking\.podSubnet: .*10\.244\.0\.0\/40/,
    },
    {
      what: 'a --config that says a thing twice',
      args: ['init', ...WITH_PACKAGE, `--config=${TMP}/twice.yaml`],
      exitCode: 2,
      says: /twice\.yaml:4: ClusterConfiguration is there a second time; the first is at twice\.yaml:1/,
    },
    {
      what: 'extra arguments in the shape of an older API version',
      args: ['init', ...WITH_PACKAGE, '--node-labels=a=b', '--dry-run', `--config=${TMP}/map.yaml`],
      exitCode: 2,
      says: /map\.yaml:4: nodeRegistration\.kubeletExtraArgs: must be a list, not a map/,
    },
    {
      what: 'a node name of 64 characters',
      args: ['init', ...WITH_PACKAGE, `--node-name=${'a'.repeat(64)}`],
      exitCode: 2,
      says: /--node-name: "a{64}" has 64 characters, and a node's name may have 63/,
    },
    {
      what: 'a malformed token',
      args: join('--token=abc.def', hash),
      exitCode: 2,
      says: /--token: .*\[a-z0-9\]\{6\}/,
    },
    {
      what: 'a malformed CA hash',
      args: join('--token=abcdef.0123456789abcdef', '--discovery-token-ca-cert-hash=sha256:12'),
      exitCode: 2,
      says: /--discovery-token-ca-cert-hash/,
    },
    {
      what: 'a master that does not answer',
      args: ['join', '10.123.0.99:6443', ...join('--token=abcdef.0123456789abcdef', hash).slice(2)],
      exitCode: 6,
      says: /10\.123\.0\.99:6443/,
    },
    {
      what: 'a master that runs no API server yet',
      args: join('--token=abcdef.0123456789abcdef', hash),
      exitCode: 6,
      says: /10\.123\.0\.11:6443/,
    },
  ]

  for (const { what, args, exitCode, says, also } of refusals) {
    test(what, async () => {
      const result = await lab.probe('worker-1', ['edgeadm', ...args])
      expect(result.exitCode, result.stderr).toBe(exitCode)
      const sentence = /^error: (.*)$/m.exec(result.stderr)?.[1]
      expect(sentence, result.stderr).toMatch(says)
      if (also !== undefined) expect(result.stderr).toMatch(also)
      expect(result.stdout).toBe('')
    })
  }

  test('a user who is not root', async () => {
    const result = await lab.probe('worker-1', [
      ...['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', 'edgeadm', 'init', ...WITH_PACKAGE],
    ])
    expect(result.exitCode).toBe(3)
    expect(result.stderr).toContain('error: [ERROR IsPrivilegedUser]: user is not running as root')
    expect(result.stderr).toContain('`sudo edgeadm init …`')
  })

  test('a port that is taken, by whom', async () => {
    const listen = 'socat TCP-LISTEN:10250,fork,reuseaddr EXEC:true & echo $! >/run/socat.pid; wait'
    const listener = lab.probe('worker-1', ['sh', '-c', listen])
    await lab.run('worker-1', ['sh', '-c', "until ss -Hltn | grep -q ':10250 '; do sleep 0.1; done"])
    const result = await lab.probe('worker-1', ['edgeadm', ...INIT])
    await lab.run('worker-1', ['sh', '-c', 'kill $(cat /run/socat.pid)'])
    await listener
    expect(result.exitCode, result.stderr).toBe(3)
    expect(result.stderr).toMatch(/\[ERROR Port-10250\]: Port 10250 is in use by socat \(pid \d+\)/)
  })

  test('a disk that is too small for the package', async () => {
    const small = 'mount -t tmpfs -o size=100m small /var/lib && exec edgeadm "$@"'
    const result = await lab.probe('worker-1', ['unshare', '--mount', 'sh', '-c', small, 'small', ...INIT])
    expect(result.exitCode, result.stderr).toBe(3)
    expect(result.stderr).toMatch(/\[ERROR DiskSpace\]: .* takes [\d.]+ [MG]iB, and .* has [\d.]+ MiB left/)
  })

  test('what others left is named, with what takes it away', async () => {
    const leftovers = `
      mount -t tmpfs tmpfs ${TMP}
      for name in etc var/lib; do
        mkdir -p ${TMP}/$name/upper ${TMP}/$name/work
        mount -t overlay -o lowerdir=/$name,upperdir=${TMP}/$name/upper,workdir=${TMP}/$name/work overlay /$name
      done
      mkdir -p /etc/cni/net.d /etc/kubeedge/config && touch /etc/cni/net.d/10-calico.conflist /etc/kubeedge/config/edgecore.yaml
      echo 'clusters: []' >/etc/kubernetes-admin && mkdir -p /etc/kubernetes && mv /etc/kubernetes-admin /etc/kubernetes/admin.conf
      ln -sf /run/gone /etc/resolv.conf
      mkdir -p /var/lib/kubelet/pki && touch /var/lib/kubelet/pki/kubelet-client-current.pem
      mkdir -p /var/lib/etcd/lost+found
      mount --rbind /usr/local /usr/local && mount -o remount,bind,ro /usr/local
      exec edgeadm "$@"`
    await lab.run('worker-1', [
      'sh',
      '-c',
      'ip link add cni0 type bridge && ip addr add 10.9.0.1/24 dev cni0',
    ])
    // As the kubelet of a distribution's package before kubeadm has configured it.
    const crashing = [
      'systemd-run',
      '--quiet',
      '--unit=kubelet',
      '-p',
      'Restart=always',
      '-p',
      'RestartSec=1',
    ]
    await lab.run('worker-1', [...crashing, 'false'])
    const result = await lab.probe('worker-1', [
      ...['unshare', '--mount', 'sh', '-ec', leftovers, 'leftovers', ...INIT],
    ])
    await lab.run('worker-1', ['sh', '-c', 'systemctl stop kubelet; ip link delete cni0'])
    expect(result.exitCode, result.stderr).toBe(3)
    for (const sentence of [
      /CNIConfiguration\]: \/etc\/cni\/net\.d\/10-calico\.conflist would be used/,
      /CNIBridge\]: .* 10\.9\.0\.1\/24: `ip link delete cni0`/,
      /DirAvailable--etc-kubeedge\]: .* edgeadm did not make it: `keadm reset edge`/,
      /KubeletCredentials\]: .*kubelet-client-current\.pem/,
      /KubeconfigCA\]: \/etc\/kubernetes\/admin\.conf/,
      /ResolvConf\]: \/etc\/resolv\.conf is a link to a file that is not there/,
      /DirAvailable--var-lib-etcd\]: .* etcd\.local\.dataDir: \/var\/lib\/etcd\/data/,
      /FileSystem\]: \/usr\/local\/bin is on \/usr\/local, which is mounted read-only/,
    ])
      expect(result.stderr).toMatch(sentence)
    expect(result.stderr).not.toContain('KubeletRunning')
  })

  test('a dry run, without root and without a package, plans and changes nothing', async () => {
    const result = await lab.probe('worker-1', [
      ...['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'],
      ...['edgeadm', 'init', '--dry-run', '--enable-edge=false'],
    ])
    expect(result.exitCode, result.stderr).toBe(0)
    expect(result.stderr).toContain('+++ /etc/sysctl.d/99-zz-edgeadm.conf')
    expect(result.stderr).toContain('[certs] run kubeadm init phase certs')
    const withPackage = await runEdgeadm(lab, 'worker-1', [...INIT, '--dry-run'])
    expect(withPackage.exitCode, withPackage.error?.message).toBe(0)
    const planned = withPackage.events.flatMap((event) => (event.type === 'change' ? [event.target] : []))
    expect(planned).toEqual(expect.arrayContaining(['/usr/local/bin/kubelet', '/etc/containerd/config.toml']))
  })
})
