import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { InitSettings, JoinSettings } from '../../src/config/types.ts'
import { Journal } from '../../src/phases/journal.ts'
import { checkEarlierRun, checkPhase, lastingSettings } from '../../src/run/earlier-run.ts'

const node = {
  name: 'm1',
  address: '10.0.0.1',
  criSocket: 'unix:///run/c.sock',
  labels: {},
  taints: undefined,
}
const common = { kubernetesVersion: 'v1.33.13', node, cni: 'flannel', documents: {} }
const init = {
  ...common,
  command: 'init',
  advertiseAddress: '10.0.0.1',
  bindPort: 6443,
  certSANs: [],
  podSubnet: '10.244.0.0/16',
  serviceSubnet: '10.96.0.0/12',
  dnsDomain: 'cluster.local',
  imageRepository: 'registry.k8s.io',
  certDir: '/etc/kubernetes/pki',
  token: 'abcdef.0123456789abcdef',
} as unknown as InitSettings
const joinSettings = {
  ...common,
  command: 'join',
  discovery: { kind: 'token', endpoint: '10.0.0.1:6443', token: 'abcdef.0123456789abcdef' },
} as unknown as JoinSettings

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edgeadm-earlier-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

async function after(settings: InitSettings | JoinSettings, ...phases: string[]): Promise<void> {
  const journal = await Journal.open(settings.command, { directory })
  journal.begin(lastingSettings(settings))
  for (const phase of phases) await journal.finished(phase, '')
}

async function check(settings: InitSettings | JoinSettings): Promise<void> {
  checkEarlierRun(await Journal.open(settings.command, { directory }), settings)
}

test('the first run, and the same again', async () => {
  await check(init)
  await after(init, 'certs')
  await check(init)
  // A token is not for life.
  await check({ ...init, token: 'ghijkl.0123456789abcdef' })
})

test('other settings are refused once they are in certificates, and say which', async () => {
  await after(init, 'node/sysctl')
  await check({ ...init, podSubnet: '10.1.0.0/16' })
  await after(init, 'certs')
  await expect(check({ ...init, podSubnet: '10.1.0.0/16', dnsDomain: 'x.y' })).rejects.toMatchObject({
    class: 'preflight',
    message: expect.stringContaining('set it up at'),
    details: [
      '--pod-network-cidr was 10.244.0.0/16 and is now 10.1.0.0/16',
      '--service-dns-domain was cluster.local and is now x.y',
    ],
  })
  await expect(check({ ...init, documents: { KubeletConfiguration: { maxPods: 5 } } })).rejects.toMatchObject(
    { details: ['the documents in --config are not the same as then'] },
  )
})

test('another command is refused', async () => {
  await after(joinSettings, 'kubelet-start')
  await expect(check(init)).rejects.toMatchObject({
    class: 'preflight',
    message: expect.stringMatching(/^this machine is a node of a cluster already: `edgeadm join` set it up/),
    fix: expect.stringContaining('edgeadm reset'),
  })
})

test('one phase changes what it is run for, and nothing else that lasts', async () => {
  await after(init, 'certs')
  const phase = async (only: string, settings: InitSettings) =>
    checkPhase(await Journal.open('init', { directory }), settings, only)
  const balanced = { ...init, controlPlaneEndpoint: '10.0.0.100:8443' }
  for (const only of ['load-balancer', 'edge', 'edge/cloudcore']) await phase(only, balanced)
  await phase('certs/apiserver', { ...init, certSANs: ['a.test'] })
  for (const only of ['addon/coredns', 'certs/apiserver'])
    await expect(phase(only, balanced)).rejects.toMatchObject({
      class: 'usage',
      message: expect.stringContaining('--control-plane-endpoint was none and is now 10.0.0.100:8443'),
    })
  await expect(phase('edge', { ...balanced, dnsDomain: 'x.y' })).rejects.toMatchObject({ class: 'usage' })
})
