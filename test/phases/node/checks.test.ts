import { describe, expect, it } from 'vitest'
import { checkEtcd, etcdProblems } from '../../../src/phases/node/check-etcd.ts'
import { checkFileSystems } from '../../../src/phases/node/check-file-systems.ts'
import { checkLeftovers } from '../../../src/phases/node/check-leftovers.ts'
import { checkPorts } from '../../../src/phases/node/check-ports.ts'
import { checkResolver } from '../../../src/phases/node/check-resolver.ts'
import { checkState } from '../../../src/phases/node/check-state.ts'
import { initOn, joinOn, machine, texts } from './machine.ts'

const ETCD_LISTENS = 'LISTEN 0 4096 127.0.0.1:2379 0.0.0.0:* users:(("etcd",pid=12,fd=3))\n'
const cluster = (etcd: string) =>
  `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\netcd: ${etcd}\n`

describe("etcd's ports and directory", () => {
  it('are asked for where kubeadm runs an etcd there', async () => {
    const on = machine({ 'ss -Hltnp': ETCD_LISTENS })
    await on.put('/var/lib/etcd/member/snap/db', '')
    expect(texts(await checkEtcd(initOn(on)))).toEqual([
      'error Port-2379: Port 2379 is in use by etcd (pid 12)',
      'error DirAvailable--var-lib-etcd: /var/lib/etcd is not empty: it holds the data of another cluster',
    ])
    expect(await checkPorts(initOn(on))).toEqual([])
    const external = cluster('{external: {endpoints: ["https://10.0.0.5:2379"]}}')
    expect(await checkEtcd(initOn(on, {}, external))).toEqual([])
    expect(await etcdProblems(initOn(on).host, { etcd: { external: {} } })).toEqual([])
  })

  it('are those of etcd.local.dataDir', async () => {
    const on = machine()
    await on.put('/var/lib/etcd/member/snap/db', '')
    const elsewhere = cluster('{local: {dataDir: /data/etcd}}')
    expect(await checkEtcd(initOn(on, {}, elsewhere))).toEqual([])
    await on.put('/data/etcd/member/snap/db', '')
    expect(texts(await checkEtcd(initOn(on, {}, elsewhere)))).toEqual([
      expect.stringContaining('DirAvailable--data-etcd: /data/etcd is not empty'),
    ])
  })

  it('a file system of its own is no data of another cluster', async () => {
    const on = machine()
    await on.makeDirectory('/var', 0o755)
    await on.makeDirectory('/var/lib', 0o755)
    await on.makeDirectory('/var/lib/etcd', 0o755)
    await on.makeDirectory('/var/lib/etcd/lost+found', 0o700)
    expect(texts(await checkEtcd(initOn(on)))).toEqual([
      expect.stringMatching(/is a file system of its own, .* etcd\.local\.dataDir: \/var\/lib\/etcd\/data/),
    ])
  })
})

describe('leftovers of others', () => {
  it('a CNI file is refused if it comes before that of this node', async () => {
    const on = machine()
    await on.put('/etc/cni/net.d/10-calico.conflist', '{}')
    await on.put('/etc/cni/net.d/10-calico.conflist.bak', '{}')
    await on.put('/etc/cni/net.d/87-podman.conflist', '{}')
    const refusal = /^error CNIConfiguration: \/etc\/cni\/net\.d\/10-calico\.conflist would be used .*: `rm /
    for (const ctx of [initOn(on), joinOn(on, { 'enable-edge': false }), joinOn(on)])
      expect(texts(await checkLeftovers(ctx))).toEqual([expect.stringMatching(refusal)])
    expect(await checkLeftovers(initOn(on, { cni: 'none' }))).toEqual([])
  })

  it("another network's bridge", async () => {
    const address = { family: 'inet', local: '10.9.0.1', prefixlen: 24 }
    const on = machine({
      'ip -j addr': JSON.stringify([{ ifname: 'cni0', flags: ['UP'], addr_info: [address] }]),
      'ip -j': '[]',
    })
    expect(texts(await checkLeftovers(initOn(on)))).toEqual([
      expect.stringMatching(/CNIBridge: .*10\.9\.0\.1\/24: `ip link delete cni0`/),
    ])
  })

  it("another cluster's credentials", async () => {
    const on = machine()
    await on.put('/var/lib/kubelet/pki/kubelet-client-current.pem', 'PEM')
    await on.put('/etc/kubernetes/admin.conf', 'clusters: []')
    expect(texts(await checkLeftovers(initOn(on)))).toEqual([
      expect.stringContaining('KubeletCredentials: /var/lib/kubelet/pki/kubelet-client-current.pem'),
      'error KubeconfigCA: /etc/kubernetes/admin.conf trust the CA of another cluster: `rm /etc/kubernetes/admin.conf`',
    ])
  })

  it("the user's own CA with kubeconfig files that trust it", async () => {
    const on = machine()
    await on.put('/etc/kubernetes/pki/ca.crt', 'CA\n')
    const data = Buffer.from('CA\n').toString('base64')
    await on.put('/etc/kubernetes/admin.conf', `clusters: [{cluster: {certificate-authority-data: ${data}}}]`)
    expect(await checkLeftovers(initOn(on))).toEqual([])
  })

  it('another distribution that would start at boot', async () => {
    const on = machine({ 'systemctl is-enabled k3s.service': 'enabled' })
    expect(texts(await checkLeftovers(initOn(on)))).toEqual([
      expect.stringMatching(/k3s\.service is enabled: .* `k3s-uninstall\.sh` takes it out/),
    ])
  })

  it('advice fits who made it', async () => {
    const on = machine()
    await on.put('/etc/kubeedge/config/edgecore.yaml', '')
    expect(texts(await checkState(joinOn(on)))[0]).toMatch(/edgeadm did not make it: `keadm reset edge`/)
    const claim = (path: string) => JSON.stringify({ kind: 'claim', path, kept: null, id: path })
    await on.put('/var/lib/edgeadm/ledger.ndjson', `${claim('/etc/kubernetes')}\n`)
    expect(texts(await checkState(joinOn(on)))[0]).toMatch(/edgeadm did not make it/)
    await on.put('/var/lib/edgeadm/ledger.ndjson', `${claim('/etc/kubernetes/kubelet.conf')}\n`)
    expect(texts(await checkState(joinOn(on)))[0]).toMatch(/`edgeadm reset` makes it free again/)
  })
})

it('a kubelet that waits for kubeadm is no node; one with a configuration is', async () => {
  const on = machine({ 'systemctl is-active kubelet.service': 'activating' })
  expect(texts(await checkState(initOn(on))).join()).not.toContain('KubeletRunning')
  await on.put('/var/lib/kubelet/config.yaml', '')
  expect(texts(await checkState(initOn(on))).join()).toContain('KubeletRunning')
})

describe('the resolver that the kubelet uses', () => {
  it('has to be there', async () => {
    const on = machine()
    await on.put('/etc/hosts', '')
    expect(texts(await checkResolver(initOn(on)))).toEqual([
      expect.stringMatching(/^error ResolvConf: \/etc\/resolv\.conf is missing/),
    ])
    await on.symlink('/etc/resolv.conf', '/run/gone')
    expect(texts(await checkResolver(initOn(on)))).toEqual([
      expect.stringMatching(/^error ResolvConf: \/etc\/resolv\.conf is a link to a file that is not there/),
    ])
  })

  it('is judged, and no other', async () => {
    const on = machine({ 'systemctl is-active systemd-resolved.service': 'active' })
    await on.put('/etc/resolv.conf', 'nameserver 127.0.0.53\n')
    await on.put('/run/systemd/resolve/resolv.conf', 'nameserver 10.0.0.2\n')
    expect(await checkResolver(initOn(on))).toEqual([])
    const own =
      'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nresolvConf: /etc/resolv.conf\n'
    expect(texts(await checkResolver(initOn(on, {}, own)))).toEqual([
      expect.stringMatching(/^warning ResolvConf: .* 127\.0\.0\.53/),
    ])
  })
})

it('file systems that cannot be written, or not started from', async () => {
  const mounts = (options: string) => JSON.stringify({ filesystems: [{ target: '/usr', options }] })
  const found = async (options: string) =>
    texts(await checkFileSystems(initOn(machine({ findmnt: mounts(options) }))))
  expect(await found('rw,relatime')).toEqual([])
  expect((await found('ro,relatime'))[0]).toContain(
    '/usr/local/bin is on /usr, which is mounted read-only: `mount -o remount,rw /usr`',
  )
  expect(await found('rw,noexec')).toEqual([
    expect.stringContaining('/usr/local/bin is on /usr, which is mounted noexec'),
    expect.stringContaining('/opt/cni/bin'),
  ])
})
