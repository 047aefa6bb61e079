import { kubectlGet } from '../../kubernetes/kubectl.ts'
import { isControlPlane, type NodeContext } from '../context.ts'
import { closedToNode } from '../node/check-firewall.ts'

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string }
    readonly status: {
      readonly phase?: string
      readonly conditions?: readonly {
        readonly type: string
        readonly status: string
        readonly message?: string
      }[]
      readonly containerStatuses?: readonly {
        readonly ready: boolean
        readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } }
        readonly lastState?: { readonly terminated?: { readonly reason?: string; readonly message?: string } }
      }[]
    }
  }[]
}

/** The likely cause, one sentence: rules that drop what they do not know, or CoreDNS' own trouble. Undefined: not known. */
export async function whyDnsIsSilent(ctx: NodeContext): Promise<string | undefined> {
  const [closed] = await closedToNode(ctx)
  if (closed !== undefined)
    return `the firewall's chain ${closed.name} drops what it has no rule for; it lacks \`${closed.rules.join('`, `')}\``
  // A joining node may not read Pods of others.
  return isControlPlane(ctx.settings) ? coreDnsTrouble(ctx) : undefined
}

async function coreDnsTrouble({ host }: NodeContext): Promise<string | undefined> {
  const pods = await kubectlGet<PodList>(host, ['pods', '-n', 'kube-system', '-l', 'k8s-app=kube-dns'])
  const [first] = (pods?.items ?? []).filter(({ status }) => !isReady(status))
  if (pods === undefined || pods.items.length === 0) return 'there is no Pod of CoreDNS'
  // One that is ready answers for all.
  if (first === undefined || pods.items.some(({ status }) => isReady(status))) return undefined
  const { status, metadata } = first
  const [container] = status.containerStatuses ?? []
  const waiting = container?.state?.waiting
  const unscheduled = status.conditions?.find(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'False',
  )
  const why =
    unscheduled?.message ?? waiting?.message ?? waiting?.reason ?? 'its readiness probe is not answered'
  return `CoreDNS is not ready (${metadata.name}): ${why}`
}

const isReady = ({ conditions }: PodList['items'][number]['status']): boolean =>
  conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
