import { describe, expect, it } from 'vitest'
import type { Host, Output, RunOptions } from '../../src/host/host.ts'
import { applyManifest, awaitNodeReady, awaitRollout, kubectlGet } from '../../src/kubernetes/kubectl.ts'
import { EdgeadmError } from '../../src/output/errors.ts'

interface Call {
  readonly args: string
  readonly input: unknown
}

/** A host whose kubectl gives these answers in turn; the last one again and again. Clusters are for the lab's tests. */
function hostAnswering(...answers: Partial<Output>[]) {
  const calls: Call[] = []
  const next = (args: readonly string[], input?: unknown): Output => {
    calls.push({ args: args.join(' '), input })
    const answer = answers[Math.min(calls.length, answers.length) - 1]
    return { stdout: '', stderr: '', exitCode: 0, ...answer }
  }
  const host = {
    probe: async (_file: string, args: readonly string[]) => next(args),
    run: async (_file: string, args: readonly string[], options: RunOptions) => {
      const output = next(args, options.input)
      if (output.exitCode !== 0) throw new EdgeadmError('phase', options.title, { details: [output.stderr] })
      return output
    },
  }
  return { calls, host: host as unknown as Host }
}

const failing = (stderr: string): Partial<Output> => ({ exitCode: 1, stderr })
const REFUSED = failing('The connection to the server 10.0.0.1:6443 was refused - connection refused')

describe('reading', () => {
  it('parses what is there', async () => {
    const { host, calls } = hostAnswering({ stdout: '{"kind":"Node"}' })
    expect(await kubectlGet(host, ['node', 'a'])).toEqual({ kind: 'Node' })
    expect(calls[0]?.args).toBe('--kubeconfig /etc/kubernetes/admin.conf get node a -o json')
  })

  it.each([
    'Error from server (NotFound): nodes "a" not found',
    'error: the server doesn\'t have a resource type "x"',
  ])('is undefined for %s', async (stderr) =>
    expect(await kubectlGet(hostAnswering(failing(stderr)).host, ['x', 'a'])).toBeUndefined(),
  )

  it('tries again while the API server is away, and not for other failures', async () => {
    const away = hostAnswering(REFUSED, { stdout: '{}' })
    expect(await kubectlGet(away.host, ['node', 'a'], { kubeconfig: '/k', namespace: 'n' })).toEqual({})
    expect(away.calls.map((call) => call.args)).toEqual(
      Array(2).fill('--kubeconfig /k --namespace n get node a -o json'),
    )
    const forbidden = hostAnswering(failing('Error from server (Forbidden): nodes is forbidden'))
    await expect(kubectlGet(forbidden.host, ['node'])).rejects.toMatchObject({
      class: 'phase',
      details: ['Error from server (Forbidden): nodes is forbidden'],
    })
    expect(forbidden.calls).toHaveLength(1)
  })
})

it('applies server-side as edgeadm, the manifest through stdin', async () => {
  const { host, calls } = hostAnswering(failing('etcdserver: leader changed'), {})
  await applyManifest(host, 'a secret', 'kind: Secret')
  expect(calls).toHaveLength(2)
  expect(calls[1]).toEqual({
    args: '--kubeconfig /etc/kubernetes/admin.conf apply --server-side --field-manager=edgeadm --force-conflicts -f -',
    input: 'kind: Secret',
  })
})

describe('waiting', () => {
  it('asks kubectl to wait', async () => {
    const { host, calls } = hostAnswering({})
    await awaitRollout(host, 'deployment/coredns', { namespace: 'kube-system', timeout: 1500 })
    await awaitNodeReady(host, 'a', { timeout: 1000 })
    expect(calls.map((call) => call.args.replace(/^\S+ \S+ /, ''))).toEqual([
      '--namespace kube-system rollout status deployment/coredns --timeout=2s',
      'wait --for=condition=Ready node/a --timeout=1s',
    ])
  })

  it('never gives a bare time-out', async () => {
    const { host } = hostAnswering(failing('error: timed out waiting for the condition on nodes/a'))
    const diagnose = async () => ['kubelet.service: no CNI configuration']
    await expect(awaitNodeReady(host, 'a', { timeout: 1000, diagnose })).rejects.toMatchObject({
      class: 'timeout',
      message: 'Waited 1 s for node/a to reach condition=Ready',
      details: [
        'error: timed out waiting for the condition on nodes/a',
        'kubelet.service: no CNI configuration',
      ],
    })
  })
})
