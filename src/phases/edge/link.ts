import { METASERVER_LINK } from '../../kubeedge/paths.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

/**
 * The interface of the secure MetaServer. It makes a dummy interface itself, but ends at once where the kernel has none;
 * it takes whatever has the name, so a bridge without ports serves as well. The unit does the same at each start.
 */
export const edgeLink: Phase<JoinContext> = {
  name: 'edge/link',
  title: "Make MetaServer's interface",
  runIf: async ({ host, settings }) => {
    if (settings.edge.metaServer === 'plain') return 'only with --metaserver=secure'
    const link = await host.probe('ip', ['link', 'show', METASERVER_LINK])
    return link.exitCode === 0 ? `${METASERVER_LINK} is there` : true
  },
  run: async ({ host }) => {
    // As edgecore will: the module is loaded by the kernel when the first link of its type is made.
    const script = `ip link add ${METASERVER_LINK} type dummy || ip link add ${METASERVER_LINK} type bridge`
    try {
      await host.run('sh', ['-c', script], {
        title: `make the interface ${METASERVER_LINK}`,
        undo: {
          file: 'ip',
          args: ['link', 'delete', METASERVER_LINK],
          unless: { file: 'sh', args: ['-c', `! ip link show ${METASERVER_LINK} >/dev/null 2>&1`] },
        },
      })
    } catch (error) {
      if (!(error instanceof EdgeadmError)) throw error
      throw new EdgeadmError(
        'phase',
        `this kernel can make neither a dummy interface nor a bridge, which MetaServer needs for its address`,
        {
          details: error.details,
          fix: `make an interface called ${METASERVER_LINK} by other means, or join with --metaserver=plain`,
          cause: error,
        },
      )
    }
  },
}
