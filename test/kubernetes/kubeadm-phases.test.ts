import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { resolveReset } from '../../src/config/load.ts'
import { compareVersions } from '../../src/config/versions.ts'
import { phaseCommand, resetPhaseCommand, upgradePhaseCommand } from '../../src/kubernetes/kubeadm-command.ts'
import { type KubeadmWorkflow, kubeadmPhases } from '../../src/kubernetes/kubeadm-phases.ts'
import { input } from '../config/fixtures.ts'
import { findKubeadm } from './real-kubeadm.ts'

const options = { kubernetesVersion: 'v1.33.13', configFile: '/c.yaml' }

it('runs a phase, a part of one, and one that has parts', () => {
  const config = ['--config', '/c.yaml']
  expect(phaseCommand('init', 'kubelet-start', options)).toEqual([
    'init',
    'phase',
    'kubelet-start',
    ...config,
  ])
  expect(phaseCommand('init', 'certs/ca', options)).toEqual(['init', 'phase', 'certs', 'ca', ...config])
  expect(phaseCommand('init', 'certs', options)).toEqual(['init', 'phase', 'certs', 'all', ...config])
  expect(phaseCommand('init', 'etcd', options)).toEqual(['init', 'phase', 'etcd', 'local', ...config])
  expect(phaseCommand('init', 'bootstrap-token', options)).toEqual([
    'init',
    'phase',
    'bootstrap-token',
    ...config,
    '--skip-token-print',
  ])
})

it('runs a hidden phase through the workflow, with all others skipped', () => {
  const args = phaseCommand('init', 'wait-control-plane', options)
  expect(args.slice(0, 4)).toEqual(['init', '--config', '/c.yaml', '--skip-phases'])
  expect(args[4]?.split(',')).toEqual(
    kubeadmPhases('init', 'v1.33.13')
      .map((one) => one.name)
      .filter((one) => one !== 'wait-control-plane'),
  )
})

it('knows what came and went', () => {
  const names = (workflow: KubeadmWorkflow, version: string) =>
    kubeadmPhases(workflow, version).flatMap((one) => [
      one.name,
      ...(one.children ?? []).map((child) => child.name),
    ])
  expect(names('init', 'v1.27.0').indexOf('kubelet-start')).toBeLessThan(
    names('init', 'v1.27.0').indexOf('etcd'),
  )
  expect(names('init', 'v1.33.0').indexOf('kubelet-start')).toBeGreaterThan(
    names('init', 'v1.33.0').indexOf('etcd'),
  )
  expect(names('init', 'v1.28.0')).not.toContain('kubeconfig/super-admin')
  expect(names('join', 'v1.30.0')).not.toContain('etcd-join')
  expect(() => phaseCommand('join', 'etcd-join', { ...options, kubernetesVersion: 'v1.30.0' })).toThrow(
    'has no phase "etcd-join"',
  )
})

it('resets with flags, or with the user’s document', () => {
  const settings = resolveReset(input({ 'cert-dir': '/pki', 'cleanup-tmp-dir': true }))
  expect(resetPhaseCommand('cleanup-node', settings, options)).toEqual([
    'reset',
    'phase',
    'cleanup-node',
    '--cert-dir',
    '/pki',
    '--cleanup-tmp-dir',
  ])
  expect(resetPhaseCommand('preflight', settings, options)).toEqual([
    'reset',
    'phase',
    'preflight',
    '--force',
  ])
  const document = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\nunmountFlags: [MNT_FORCE]\n'
  expect(resetPhaseCommand('cleanup-node', resolveReset(input({}, document)), options).slice(-2)).toEqual([
    '--skip-phases',
    'preflight,remove-etcd-member',
  ])
})

describe('the real kubeadm', async () => {
  const kubeadm = await findKubeadm()

  it.skipIf(!kubeadm).each(['init', 'join', 'reset'] as const)(
    'has these phases of %s, in this order',
    async (workflow) => {
      const { stdout } = await execa(kubeadm?.path as string, [workflow, '--help'])
      const table = /```\n([\s\S]*?)```/.exec(stdout)?.[1]?.split('\n') ?? []
      const shown: string[] = []
      for (const line of table) {
        const match = /^( *)(\/?)([a-z-]+)/.exec(line)
        if (!match) continue
        const group = shown.findLast((name) => !name.includes('/'))
        shown.push(match[2] === '/' ? `${group}/${match[3]}` : (match[3] as string))
      }
      const HIDDEN = {
        // Shown from 1.34 on.
        init: compareVersions(kubeadm?.version as string, 'v1.34.0') < 0 ? ['wait-control-plane'] : [],
        join: ['check-etcd', 'kubelet-wait-bootstrap'],
        reset: [] as string[],
      }
      const ours = kubeadmPhases(workflow, kubeadm?.version as string)
        .flatMap((one) => [one.name, ...(one.children ?? []).map((child) => child.name)])
        .filter((name) => !HIDDEN[workflow].includes(name))
      expect(ours).toEqual(shown)
    },
  )

  it.skipIf(!kubeadm)('takes every command line that is made for it', async () => {
    const version = kubeadm?.version as string
    const commands = (['init', 'join'] as const).flatMap((workflow) =>
      kubeadmPhases(workflow, version)
        .flatMap((one) => [one, ...(one.children ?? [])])
        .map((one) =>
          phaseCommand(workflow, one.name, { kubernetesVersion: version, configFile: '/nonexistent/c.yaml' }),
        ),
    )
    // It gets as far as opening the file, so it has understood the rest; nothing is run.
    for (const args of commands) {
      const { stderr, exitCode } = await execa(kubeadm?.path as string, args, { reject: false })
      expect(exitCode, args.join(' ')).not.toBe(0)
      expect(stderr, args.join(' ')).toMatch(
        /\/nonexistent\/c\.yaml|admin\.conf does not exists|not running as root/,
      )
    }
  })
})

it('upgrades phase by phase, and through the workflow where kubeadm hides the phase', () => {
  const apply = (name: string) => upgradePhaseCommand('apply', name, options)
  expect(apply('control-plane')).toEqual([
    'upgrade',
    'apply',
    'phase',
    'control-plane',
    '--config',
    '/c.yaml',
  ])
  expect(apply('upload-config').slice(2, 5)).toEqual(['phase', 'upload-config', 'all'])
  expect(apply('addon/coredns').slice(2, 5)).toEqual(['phase', 'addon', 'coredns'])
  expect(apply('kubeconfig')).toEqual([
    ...['upgrade', 'apply', '--config', '/c.yaml', '--yes', '--skip-phases'],
    'preflight,control-plane,upload-config,kubelet-config,bootstrap-token,addon,post-upgrade',
  ])
  expect(upgradePhaseCommand('node', 'kubeconfig', options)).toEqual([
    ...['upgrade', 'node', '--config', '/c.yaml', '--skip-phases'],
    'preflight,control-plane,kubelet-config,addon,post-upgrade',
  ])
})
