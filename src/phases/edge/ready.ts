import { bootstrapEdge } from '../../kubeedge/bootstrap.ts'
import { checkMetaServer } from '../../kubeedge/metaserver.ts'
import { EDGECORE_UNIT } from '../../kubeedge/paths.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { awaitCondition } from '../await.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

/** Milliseconds. edgecore registers 20 s after its start, and is Ready about 40 s later. */
const NODE_LIMIT = 240_000
/**
 * Milliseconds. The secure MetaServer waits for its certificate, and the first Pod for its rights to come down. edgecore waits
 * a minute for an answer that was lost, and asks again: time for two of them.
 */
const METASERVER_LIMIT = 240_000
/** Milliseconds. Each look is a question to the cloud. */
const INTERVAL = 1000

const unlessDry = {
  runIf: ({ settings }: JoinContext) => (settings.dryRun ? 'nothing was changed' : true),
}

export const edgeReady: Phase<JoinContext> = {
  name: 'node-ready',
  title: 'Wait for the node to be Ready',
  ...unlessDry,
  runIf: ({ settings }) => {
    if (settings.dryRun) return 'nothing was changed'
    return settings.cni === 'none' ? 'it becomes Ready once a CNI plugin is configured (--cni=none)' : true
  },
  run: async ({ host, settings, signal }) => {
    const { knowsNodeState, node } = await bootstrapEdge(settings, signal)
    await explained(host, () =>
      awaitCondition(
        `node ${settings.node.name} to be Ready`,
        NODE_LIMIT,
        signal,
        async () => {
          const object = await node()
          if (object === undefined) return 'edgecore has not registered the node yet'
          // What MetaServer lists to a Pod of this node, in the next phase, tells more.
          if (!knowsNodeState) return true
          const ready = object.status?.conditions?.find(({ type }) => type === 'Ready')
          return ready?.status === 'True' || `${ready?.reason ?? 'no state yet'}: ${ready?.message ?? ''}`
        },
        INTERVAL,
      ),
    )
  },
}

export const metaServerReady: Phase<JoinContext> = {
  name: 'edge/metaserver',
  title: 'Wait for MetaServer to list services',
  ...unlessDry,
  run: async ({ host, settings, signal }) => {
    const secure = settings.edge.metaServer === 'secure'
    const { name } = settings.node
    await explained(
      host,
      () =>
        awaitCondition(
          'MetaServer to list services',
          METASERVER_LIMIT,
          signal,
          async () => {
            const failed = (await checkMetaServer({ host, signal, secure })).find(
              ({ result }) => result !== true,
            )
            return failed === undefined || `${failed.what}: ${failed.result}`
          },
          INTERVAL,
        ),
      `mend the cause and run the same command again; if an earlier ${name} was taken out with kubectl alone: \`edgeadm reset\` here and \`edgeadm reset --remove-node ${name}\` on a master, then join again`,
    )
  },
}

/** A time-out with what edgecore itself says. */
async function explained(
  host: JoinContext['host'],
  wait: () => Promise<void>,
  cause = 'mend the cause and run the same command again',
): Promise<void> {
  try {
    await wait()
  } catch (error) {
    if (!(error instanceof EdgeadmError) || error.class !== 'timeout') throw error
    throw new EdgeadmError('timeout', error.message, {
      details: [...error.details, ...(await edgeCoreErrors(host))],
      fix: `look at \`journalctl -u ${EDGECORE_UNIT}\`, ${cause}`,
    })
  }
}

/** The last errors in edgecore's journal, each once. */
export async function edgeCoreErrors(host: JoinContext['host']): Promise<string[]> {
  const journal = await host.probe('journalctl', [
    '-u',
    EDGECORE_UNIT,
    '-n',
    '400',
    '--no-pager',
    '-o',
    'cat',
  ])
  const errors = journal.stdout
    .split('\n')
    .filter((line) => /^[EF]\d{4} |^panic:/.test(line))
    .map((line) => line.replace(/^[EF]\d{4} [\d:.]+\s+\d+ /, '').slice(0, 300))
  return [...new Set(errors)].slice(-6)
}
