/**
 * Ends a long wait early when what is awaited cannot come: kubeadm gives a kubelet and an API server minutes, also when
 * they end at once each time they are started (an unknown flag, a configuration that they refuse).
 */

import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError } from '../../output/errors.ts'
import type { NodeContext } from '../context.ts'
import { endedContainers } from './containers.ts'
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
  try {
    for (;;) {
      await delay(INTERVAL, undefined, { signal: end })
      const cause = (await crashingKubelet(host)) ?? (await crashingContainer(host))
      if (cause !== undefined) return giveUp(cause)
    }
  } catch (error) {
    if (!end.aborted) throw error
  }
}

async function crashingKubelet(host: Host): Promise<EdgeadmError | undefined> {
  const { SubState, NRestarts } = await unitProperties(host, 'kubelet.service')
  const ended = SubState === 'auto-restart' || SubState === 'failed'
  // Once is no loop: it may have met a containerd that was just starting.
  if (!ended || Number(NRestarts) < 1) return undefined
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

async function crashingContainer(host: Host): Promise<EdgeadmError | undefined> {
  for (const { pod, container, lives, words } of await endedContainers(host)) {
    if (!INDEPENDENT.includes(container)) continue
    if (lives.length < 2 || !lives.slice(-2).every((seconds) => seconds < STILLBORN)) continue
    return new EdgeadmError(
      'phase',
      `${container} ends whenever it is started: ${words.at(-1) ?? 'it says nothing'}`,
      {
        details: words.slice(0, -1),
        fix: `mend that in /etc/kubernetes/manifests/${container}.yaml and run the same command again, or \`edgeadm reset\` and begin with another --config; its log: /var/log/pods/${pod}/${container}`,
      },
    )
  }
  return undefined
}
