import { LocalMachine } from '../host/local.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { ClusterStatus } from './status.ts'
import { metricsOf } from './status-metrics.ts'

/** Whole or not at all, as the collector wants it; anybody may read it, and there is no secret in it. */
export async function writeTextfile(path: string, status: ClusterStatus): Promise<void> {
  if (!path.endsWith('.prom') || !path.startsWith('/'))
    throw new EdgeadmError(
      'usage',
      `--textfile ${path}: the collector reads files whose names end with .prom`,
      {
        fix: 'give an absolute path such as /var/lib/node_exporter/edgeadm.prom',
      },
    )
  await new LocalMachine().writeFile(path, metricsOf(status), 0o644).catch((error: NodeJS.ErrnoException) => {
    throw new EdgeadmError('usage', `--textfile ${path} cannot be written: ${error.code}`)
  })
}
