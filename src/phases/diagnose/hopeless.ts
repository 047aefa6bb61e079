/**
 * Ends a long wait early when what is awaited cannot come: kubeadm gives a kubelet and an API server minutes, also when
 * they end at once each time they are started (an unknown flag, a configuration that they refuse).
 */

import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { processes } from '../../host/processes.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { NodeContext } from '../context.ts'
import { restartedContainers } from './containers.ts'
import { lastErrors, unitProperties } from './units.ts'

/** Milliseconds between two looks. */
const INTERVAL = 1000

/** A container that lived longer than this, in seconds, did something before it ended: it may be waiting for another one. */
const STILLBORN = 3

/** Those that start without waiting for others. The scheduler and the controller manager end while there is no API server. */
const INDEPENDENT = ['kube-apiserver', 'etcd']

type Host = NodeContext['host']

/**
 * Does `work` under a signal that is aborted, with the cause, once there is no hope.
 * @throws EdgeadmError class `phase` with the cause, or whatever `work` throws
 */
export async function unlessHopeless<T>(
  { host, signal }: Pick<NodeContext, 'host' | 'signal'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const hopeless = new AbortController()
  const done = new AbortController()
  const watch = watchUntil(host, AbortSignal.any([done.signal, signal]), (error) => hopeless.abort(error))
  try {
    return await work(hopeless.signal)
  } catch (error) {
    // Not every wait ends with the reason that its signal has.
    throw hopeless.signal.aborted ? hopeless.signal.reason : error
  } finally {
    done.abort()
    await watch
  }
}

async function watchUntil(
  host: Host,
  end: AbortSignal,
  giveUp: (error: EdgeadmError) => void,
): Promise<void> {
  const since = Date.now()
  // What ended before may have been mended since: only what ends from now on counts.
  let restarts = Number.POSITIVE_INFINITY
  let earlierEnd: string | undefined
  try {
    for (;;) {
      const unit = await unitProperties(host, 'kubelet.service')
      restarts = Math.min(restarts, Number(unit.NRestarts))
      earlierEnd ??= unit.ExecMainExitTimestampMonotonic
      // systemd counts a restart a moment before it starts the unit: then it is still the earlier end that is seen.
      const endedAnew = hasEnded(unit) && unit.ExecMainExitTimestampMonotonic !== earlierEnd
      const kubeletCrashes = endedAnew && Number(unit.NRestarts) > restarts
      const cause = kubeletCrashes ? await kubeletFailure(host) : await crashingContainer(host, since)
      if (cause !== undefined) return giveUp(cause)
      await delay(INTERVAL, undefined, { signal: end })
    }
  } catch (error) {
    if (!end.aborted) throw error
  }
}

function hasEnded({ SubState }: Record<string, string>): boolean {
  return SubState === 'auto-restart' || SubState === 'failed'
}

async function kubeletFailure(host: Host): Promise<EdgeadmError> {
  const said = await lastErrors(host, 'kubelet.service')
  return new EdgeadmError(
    'phase',
    `the kubelet ends whenever it is started: ${said.at(-1) ?? 'see `journalctl -u kubelet`'}`,
    {
      details: said.slice(0, -1),
      fix: 'mend that (its flags: /etc/default/kubelet and /var/lib/kubelet/kubeadm-flags.env, its configuration: /var/lib/kubelet/config.yaml), and run the same command again: it goes on here',
    },
  )
}

async function crashingContainer(host: Host, since: number): Promise<EdgeadmError | undefined> {
  const suspects = (await restartedContainers(host)).filter(
    ({ container, latest }) =>
      INDEPENDENT.includes(container) && latest.seconds < STILLBORN && latest.lastAt > since,
  )
  if (suspects.length === 0) return undefined
  const running = new Set((await processes(host)).map(({ command }) => basename(command[0] ?? '')))
  const dead = suspects.find(({ container }) => !running.has(container))
  if (dead === undefined) return undefined
  const { pod, container, latest } = dead
  return new EdgeadmError(
    'phase',
    `${container} ends whenever it is started: ${latest.words.at(-1) ?? 'it says nothing'}`,
    {
      details: latest.words.slice(0, -1),
      fix: `mend that in /etc/kubernetes/manifests/${container}.yaml, \`systemctl restart kubelet\`, and run the same command again, or \`edgeadm reset\` and begin with another --config; its log: /var/log/pods/${pod}/${container}`,
    },
  )
}
