import { setTimeout as delay } from 'node:timers/promises'
import { gatherFacts } from '../../config/facts.ts'
import type { Host, Look } from '../../host/host.ts'
import { kubectl } from '../../kubernetes/kubectl.ts'
import { eraseMaster } from '../../kubernetes/masters.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { ResetContext } from '../reset/context.ts'
import type { Phase } from '../workflow.ts'
import { DIRECTORY, KEEPALIVED_CONF, PODS, SERVICE } from './files.ts'

/** Milliseconds. The kubelet ends the Pod within two seconds, and another master has the address 0.3 s later. */
const LIMIT = 20_000

/**
 * The virtual address goes to another master first: keepalived says good-bye when it is ended, so nobody has to find out.
 * Then the others stop sending to this one. haproxy stays to the end for the connections that it has.
 */
export const handOver: Phase<ResetContext> = {
  name: 'load-balancer/hand-over',
  title: 'Hand the virtual address over',
  runIf: async ({ host }) =>
    (await host.stat(PODS.keepalived)) === undefined ? 'there is no load balancer here' : true,
  run: async (ctx) => {
    const { host, settings, emit, signal } = ctx
    const address = await virtualAddress(host)
    if ((await host.serviceState(SERVICE)).active) await host.service(SERVICE, { active: false })
    await host.remove(PODS.keepalived)
    if (settings.dryRun || address === undefined) return
    const others = ((await host.readFile(`${DIRECTORY}/peers.conf`)) ?? '') !== ''
    const end = Date.now() + LIMIT
    while (Date.now() < end) {
      if (!(await holds(host, address)) && (!others || (await answers(host, settings.kubeconfig)))) {
        if (others) await leave(ctx)
        return
      }
      await delay(200, undefined, { signal })
    }
    emit({
      type: 'warning',
      text: (await holds(host, address))
        ? `keepalived still runs after ${LIMIT / 1000} s; ${address} goes when its container does`
        : `no other master answers at ${address}`,
    })
  },
}

/** Undefined on a machine without keepalived. */
export async function virtualAddress(host: Look): Promise<string | undefined> {
  const configuration = (await host.readFile(KEEPALIVED_CONF)) ?? ''
  return /virtual_ipaddress \{\s*([^\s/]+)\//.exec(configuration)?.[1]
}

/** The other masters take this one off their lists at once, while it still serves what it was sent. */
async function leave({ host, facts, settings, emit }: ResetContext): Promise<void> {
  try {
    await eraseMaster(host, facts.nodeName, { kubeconfig: settings.kubeconfig })
  } catch (error) {
    if (!(error instanceof EdgeadmError)) throw error
    // It is erased once more with the Node; until then the others find out by themselves that it is gone.
    emit({ type: 'warning', text: `the other masters are not told yet: ${error.message}` })
  }
}

async function holds(host: Host, address: string): Promise<boolean> {
  const { interfaces } = await gatherFacts(host)
  return interfaces.some((one) => one.addresses.some((other) => other.address === address))
}

async function answers(host: Host, kubeconfig: string): Promise<boolean> {
  const output = await kubectl(host, ['get', '--raw', '/readyz', '--request-timeout=2s'], { kubeconfig })
  return output.exitCode === 0
}
