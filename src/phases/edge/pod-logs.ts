import type { Look } from '../../host/host.ts'
import { kubectl } from '../../kubernetes/kubectl.ts'

/** Lines of each Pod that may be worth quoting. */
const LINES = 5

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string }
    readonly status: {
      readonly phase: string
      readonly containerStatuses?: readonly {
        readonly name: string
        readonly ready: boolean
        readonly state: { readonly waiting?: { readonly reason?: string; readonly message?: string } }
      }[]
    }
  }[]
}

/** Why Pods of a namespace are not ready, with the last words of their containers. Only looks; never fails itself. */
export async function podLogs(host: Look, namespace: string): Promise<string[]> {
  const answer = await kubectl(host, ['get', 'pods', '-o', 'json'], { namespace })
  if (answer.exitCode !== 0) return [answer.stderr.trim()]
  const found: string[] = []
  for (const { metadata, status } of (JSON.parse(answer.stdout) as PodList).items) {
    for (const { name, ready, state } of status.containerStatuses ?? []) {
      if (ready) continue
      const { reason = status.phase, message = '' } = state.waiting ?? {}
      found.push(`container ${name} of Pod ${metadata.name}: ${reason} ${message}`.trimEnd())
      const log = await kubectl(host, ['logs', metadata.name, '-c', name, `--tail=${LINES}`], { namespace })
      found.push(
        ...log.stdout
          .trim()
          .split('\n')
          .map((line) => line.slice(0, 300)),
      )
    }
  }
  return found.filter((line) => line !== '')
}
