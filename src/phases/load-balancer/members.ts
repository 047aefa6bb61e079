import { formatHostPort } from '../../config/names.ts'
import { applyTemplate, kubectl } from '../../kubernetes/kubectl.ts'
import { readMasters } from '../../kubernetes/masters.ts'
import { awaitCondition } from '../await.ts'
import type { NodeContext } from '../context.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'
import { wantedEndpoint } from './cluster-endpoint.ts'
import { stepsAfterConversion } from './conversion.ts'
import { PODS, SCRIPT, SERVICE } from './files.ts'

/** Milliseconds. keepalived takes the address about four seconds after its start. */
const LIMIT = 60_000

/**
 * Follows the record of the masters, in which this one is by now. A systemd service waits on a watch with kubectl:
 * nothing else runs on the masters for it, and the lists stay as they are while the API is away.
 */
export const members: Phase<NodeContext> = {
  name: 'load-balancer/members',
  title: 'Let the load balancer follow the masters',
  runIf: async ({ host, settings }) => {
    if (settings.dryRun) return 'the cluster is asked then'
    return (await host.stat(PODS.keepalived)) === undefined ? 'there is no load balancer here' : true
  },
  run: async (ctx) => {
    const { host, settings, emit } = ctx
    if (settings.command === 'init') {
      const { address, port, virtualRouterId } = await wantedEndpoint(ctx)
      await applyTemplate(host, 'load-balancer/cluster.yaml', {
        virtualAddress: address,
        port,
        virtualRouterId,
      })
      await awaitAnswer(ctx, formatHostPort(address, port))
      for (const text of await stepsAfterConversion(host, { address, port })) emit({ type: 'warning', text })
    }
    await templateFile(host, `/etc/systemd/system/${SERVICE}`, 'load-balancer/follow-masters.service', {
      script: SCRIPT,
    })
    await host.service(SERVICE, { enabled: true, active: true })
    const count = (await readMasters(host)).length
    if (count % 2 === 0)
      emit({
        type: 'warning',
        text: `the cluster has ${count} masters now: it survives no more losses than one with ${count - 1} would; join another one`,
      })
  },
}

/** A name may be led to it from now on. Not every cluster's certificate has the address, but all have the name kubernetes. */
function awaitAnswer({ host, signal }: NodeContext, endpoint: string): Promise<void> {
  const args = ['--server', `https://${endpoint}`, '--tls-server-name=kubernetes', '--request-timeout=3s']
  return awaitCondition(`${endpoint} to reach an API server`, LIMIT, signal, async () => {
    const { exitCode, stderr } = await kubectl(host, [...args, 'get', '--raw', '/readyz'])
    return exitCode === 0 || stderr.trim()
  })
}
