import { formatHostPort } from '../../config/names.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitReadyApi } from '../await-api.ts'
import type { InitContext } from '../context.ts'
import { unlessHopeless } from '../diagnose/hopeless.ts'
import { diagnose } from '../diagnose/index.ts'
import type { Phase } from '../workflow.ts'

/** Milliseconds. As long as kubeadm waits by default for a component of the control plane. */
const LIMIT = 240_000

/**
 * The controller manager that is started before the API server knows its roles is refused the leader's lease and asks again
 * only after two to four seconds; so its static Pod is written when the API server is ready. Its image is imported meanwhile.
 */
export const apiServerReady: Phase<InitContext> = {
  name: 'api-server-ready',
  title: 'Wait for the API server',
  runIf: ({ settings }) => (settings.dryRun ? 'nothing was changed' : true),
  run: async (ctx) => {
    const { host, settings } = ctx
    const caPem = await host.readFile(`${settings.certDir}/ca.crt`)
    const endpoint = formatHostPort(settings.advertiseAddress, settings.bindPort)
    try {
      await unlessHopeless(ctx, (signal) =>
        awaitReadyApi({ what: 'the API server to be ready', endpoint, caPem, limit: LIMIT }, signal),
      )
    } catch (error) {
      if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
      throw new EdgeadmError('timeout', error.message, {
        details: [...error.details, ...(await diagnose(host))],
        fix: 'mend the cause and run `edgeadm init` again: it goes on at this phase; `edgeadm reset` goes back',
      })
    }
  },
}
