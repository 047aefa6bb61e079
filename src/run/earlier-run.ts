/** What an earlier run made of this machine, and whether this run may go on with it. */

import { createHash } from 'node:crypto'
import type { InitSettings, JoinSettings } from '../config/types.ts'
import { EdgeadmError } from '../output/errors.ts'
import { isEdge, isSuperEdge } from '../phases/context.ts'
import type { Journal } from '../phases/journal.ts'

type Settings = InitSettings | JoinSettings

/** The phase that makes the settings part of the machine's certificates and its identity: they cannot change after it. */
const SETTLED_BY = { init: 'certs', join: 'kubelet-start' } as const

/**
 * The settings that a node keeps for its life, by the flags that set them. Not among them: what may be new in every run
 * (tokens, skipped phases, ignored checks) and what later runs may add (edge parts, uploaded certificates).
 */
export function lastingSettings(settings: Settings): Record<string, string> {
  const { node, kubernetesVersion, cni, documents } = settings
  const common = {
    '--kubernetes-version': kubernetesVersion,
    '--node-name': node.name,
    '--cri-socket': node.criSocket,
    '--cni': cni,
    'the documents in --config': hashOf(documents),
  }
  if (settings.command === 'join') {
    const { controlPlane, discovery, edge } = settings
    return {
      ...common,
      '--control-plane': String(controlPlane !== undefined),
      '--enable-edge': String(isEdge(settings) || isSuperEdge(settings)),
      ...(isEdge(settings) || isSuperEdge(settings) ? { '--edge-runtime': edge.runtime } : {}),
      ...(discovery.kind === 'ticket'
        ? {}
        : { 'the control plane': discovery.kind === 'token' ? discovery.endpoint : discovery.path }),
    }
  }
  return {
    ...common,
    '--apiserver-advertise-address': settings.advertiseAddress,
    '--apiserver-bind-port': String(settings.bindPort),
    '--apiserver-cert-extra-sans': settings.certSANs.join(','),
    '--control-plane-endpoint': settings.controlPlaneEndpoint ?? 'none',
    '--pod-network-cidr': settings.podSubnet ?? 'none',
    '--service-cidr': settings.serviceSubnet,
    '--service-dns-domain': settings.dnsDomain,
    '--image-repository': settings.imageRepository,
    '--cert-dir': settings.certDir,
  }
}

/**
 * The same command with the same settings goes on, or finds everything done. Anything else is refused: it would change a
 * node in the middle of its life.
 * @throws EdgeadmError class `preflight`
 */
export function checkEarlierRun(journal: Journal, settings: Settings): void {
  const { earlier } = journal
  if (earlier === undefined || !isSettled(journal, earlier.command)) return
  const { command } = settings
  const when = `at ${earlier.time.replace(/\.\d+Z$/, 'Z')}`
  const fix = '`edgeadm reset` makes the machine free again'
  if (earlier.command !== command) {
    const what = earlier.command === 'init' ? 'the master of a cluster' : 'a node of a cluster'
    throw new EdgeadmError(
      'preflight',
      `this machine is ${what} already: \`edgeadm ${earlier.command}\` set it up ${when}`,
      { fix },
    )
  }
  const now = lastingSettings(settings)
  const different = Object.keys(now).filter((name) => (earlier.settings[name] ?? now[name]) !== now[name])
  if (different.length === 0) return
  throw new EdgeadmError(
    'preflight',
    `this machine is a node already: \`edgeadm ${command}\` set it up ${when} with other settings`,
    {
      details: different.map((name) => sayDifference(name, earlier.settings[name] ?? '', now[name] ?? '')),
      fix: `give the same settings to go on; for others, ${fix} first`,
    },
  )
}

/** What one phase may change although it lasts: it is what the phase is run for. */
const CHANGED_BY: Readonly<Record<string, readonly string[]>> = {
  certs: ['--apiserver-cert-extra-sans'],
  'certs/apiserver': ['--apiserver-cert-extra-sans'],
  // A cluster gets its balancer later: its address is new to the machine, and to where edge nodes find CloudCore.
  'load-balancer': ['--control-plane-endpoint'],
  edge: ['--control-plane-endpoint'],
}

/** @param only a phase (`certs/apiserver`), or a group of phases (`edge`) */
function changedBy(only: string): readonly string[] {
  return CHANGED_BY[only] ?? (only.startsWith('certs/') ? [] : (CHANGED_BY[only.split('/')[0] ?? ''] ?? []))
}

/**
 * One phase alone works on the node as it was set up.
 * @throws EdgeadmError class `usage` if it is given other lasting settings
 */
export function checkPhase(journal: Journal, settings: Settings, only: string): void {
  const { earlier } = journal
  if (earlier?.command !== settings.command || !isSettled(journal, earlier.command)) return
  // The documents are compared field by field, by what they mean for the settings.
  const exempt = ['the documents in --config', ...changedBy(only)]
  const now = lastingSettings(settings)
  const different = Object.keys(now).filter(
    (name) => !exempt.includes(name) && (earlier.settings[name] ?? now[name]) !== now[name],
  )
  if (different.length === 0) return
  throw new EdgeadmError(
    'usage',
    `\`edgeadm ${settings.command} phase ${only}\` cannot change what this machine was set up with: ${different
      .map((name) => sayDifference(name, earlier.settings[name] ?? '', now[name] ?? ''))
      .join('; ')}`,
    { fix: 'leave these flags out: the phase goes by what is recorded' },
  )
}

function isSettled(journal: Journal, command: string): boolean {
  if (command !== 'init' && command !== 'join') return false
  return (
    journal.everFinished(command, SETTLED_BY[command]) ||
    (command === 'join' &&
      (journal.everFinished(command, 'control-plane-prepare') ||
        journal.everFinished(command, 'edge/credentials')))
  )
}

function sayDifference(name: string, before: string, now: string): string {
  return name.startsWith('--') || name === 'the control plane'
    ? `${name} was ${before || 'empty'} and is now ${now || 'empty'}`
    : `${name} are not the same as then`
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
