/**
 * Keeps `reset` from cutting off who called it over SSH: while a phase changes the network, a service of its own holds the
 * state of before and a deadline. edgeadm moves the deadline as long as the machine can be reached. If it cannot, or edgeadm
 * ends, the service puts the state back.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { Host } from '../../host/host.ts'
import { copyFirewallConfiguration, snapshotNetwork } from '../../network/snapshot.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { render } from '../../templates.ts'
import type { Phase } from '../workflow.ts'
import type { ResetContext } from './context.ts'
import { connectionOf, lookAtWay, type SshSession, sshSession, type Way, whatIsWorse } from './ssh-session.ts'

const DIRECTORY = '/run/edgeadm-rollback'
const UNIT = 'edgeadm-rollback.service'
/** Seconds that somebody may be cut off. */
const PATIENCE = 60
/** Milliseconds between two looks. */
const INTERVAL = 5000
/** Milliseconds for the client's machine to acknowledge what was sent to it. */
const ACK_LIMIT = 15_000

/** A phase of `reset` that changes firewall, addresses, routes or kernel parameters of the network. */
export function guarded(phase: Phase<ResetContext>): Phase<ResetContext> {
  return {
    ...phase,
    run: async (ctx) => {
      const session = ctx.settings.dryRun ? undefined : await sshSession(ctx.host)
      if (session === undefined) return phase.run(ctx)
      const before = await lookAtWay(ctx.host, session)
      await arm(ctx.host, session)
      const done = new AbortController()
      const watch = extendWhileReachable(ctx.host, session, before, done.signal)
      try {
        await phase.run(ctx)
      } finally {
        done.abort()
        await watch
      }
      const worse = await stillCutOff(ctx, session, before)
      if (worse === undefined) return disarm(ctx.host)
      await rollBack(ctx.host)
      throw new EdgeadmError(
        'phase',
        `${phase.name} would have cut off ${session.client}, from where this was called over SSH: ${worse}; firewall, address and routes are as they were before this phase`,
        {
          fix: `let port ${session.serverPort} in by a rule of your own, or run \`edgeadm reset\` again from the machine's console`,
        },
      )
    },
  }
}

async function arm(host: Host, session: SshSession): Promise<void> {
  await disarm(host)
  await host.makeDirectory(DIRECTORY, { mode: 0o700 })
  const { files, restore } = await snapshotNetwork(host, session.server)
  const commands = [
    ...restore,
    ...(await copyFirewallConfiguration(host, DIRECTORY)),
    ...(await sysctls(host)),
  ]
  for (const [name, text] of Object.entries(files))
    await host.writeFile(`${DIRECTORY}/${name}`, text, { mode: 0o600, secret: true })
  await host.writeFile(`${DIRECTORY}/rollback`, render('reset/rollback', { commands }), { mode: 0o700 })
  await extend(host)
  await host.run('systemd-run', ['--quiet', '--collect', `--unit=${UNIT}`, 'sh', `${DIRECTORY}/rollback`], {
    title: `put the network back in ${PATIENCE} s unless ${session.client} can still reach it`,
    undo: null,
  })
}

const SYSCTLS = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding', 'net/ipv6/conf/default/forwarding']

async function sysctls(host: Host): Promise<string[]> {
  const commands: string[] = []
  for (const key of SYSCTLS) {
    const value = (await host.readFile(`/proc/sys/${key}`))?.trim()
    if (value !== undefined) commands.push(`sysctl -q -w ${key}=${value}`)
  }
  return commands
}

/** Seconds since boot: the clock of the machine may be set meanwhile. */
async function extend(host: Host): Promise<void> {
  const uptime = Number.parseFloat((await host.readFile('/proc/uptime')) ?? '0')
  await host.writeFile(`${DIRECTORY}/deadline`, `${Math.floor(uptime) + PATIENCE}\n`, { mode: 0o600 })
}

async function extendWhileReachable(
  host: Host,
  session: SshSession,
  before: Way,
  end: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await delay(INTERVAL, undefined, { signal: end })
      if (whatIsWorse(before, await lookAtWay(host, session), session) === undefined) await extend(host)
    }
  } catch (error) {
    if (!end.aborted) throw error
  }
}

/** What is worse than before. A line to the caller has to be acknowledged by their machine, if their connection is there. */
async function stillCutOff(ctx: ResetContext, session: SshSession, before: Way): Promise<string | undefined> {
  const { host, emit } = ctx
  if ((await host.stat(`${DIRECTORY}/done`)) !== undefined) return 'it could not be reached for a minute'
  const worse = whatIsWorse(before, await lookAtWay(host, session), session)
  if (worse !== undefined || !before.isConnected) return worse
  emit({ type: 'output', text: `[reset] ${session.client} can still reach this machine` })
  const sent = Date.now()
  for (;;) {
    const connection = await connectionOf(host, session)
    if (connection === undefined) return `the connection from ${session.client} is gone`
    if (!connection.unacknowledged) return undefined
    if (Date.now() - sent > ACK_LIMIT)
      return `${session.client} has acknowledged nothing for ${Math.round(connection.sinceAck / 1000)} s`
    await delay(200)
  }
}

async function disarm(host: Host): Promise<void> {
  if ((await host.stat(DIRECTORY)) === undefined) return
  // 5: it has ended by itself and is gone.
  await host.run('systemctl', ['stop', UNIT], {
    title: 'the network stays as it is now',
    undo: null,
    okExitCodes: [0, 5],
  })
  await host.remove(DIRECTORY, { recursive: true })
}

async function rollBack(host: Host): Promise<void> {
  await host.run('systemctl', ['stop', UNIT], { title: 'stop waiting', undo: null, okExitCodes: [0, 5] })
  await host.run('sh', [`${DIRECTORY}/rollback`, 'now'], {
    title: 'put firewall, address and routes back',
    undo: null,
    // Routes of interfaces that are gone fail.
    okExitCodes: [0, 1, 2],
  })
  await host.remove(DIRECTORY, { recursive: true })
}
