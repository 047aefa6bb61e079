/** kubectl through the host: read as JSON, apply a template, wait with a cause. Secrets go through stdin. */

import pRetry, { AbortError } from 'p-retry'
import type { Host, Look, Output } from '../host/host.ts'
import { EdgeadmError } from '../output/errors.ts'
import { render } from '../templates.ts'
import { ADMIN_CONF } from './paths.ts'

/** Looked up in edgeadm's own PATH (host/system-environment.ts): the package's in /usr/local/bin, else the distribution's. */
export const KUBECTL = 'kubectl'
export const KUBEADM = 'kubeadm'

export interface KubectlOptions {
  /** Default `/etc/kubernetes/admin.conf`. */
  readonly kubeconfig?: string
  readonly namespace?: string
}

export interface WaitOptions extends KubectlOptions {
  /** Milliseconds. */
  readonly timeout: number
  /** Looks for the root cause when the time is up; its lines become the error's details. */
  readonly diagnose?: () => Promise<readonly string[]>
}

/** What an API server says while it, etcd or the way to it comes and goes. Worth another try. */
const TRANSIENT =
  /connection refused|connection reset|connection lost|no route to host|EOF|i\/o timeout|TLS handshake timeout|etcdserver: |the server is currently unable|too many requests|context deadline exceeded/i

/** Whether an error is of the kind that passes by itself. */
export function isTransient(error: unknown): boolean {
  return error instanceof EdgeadmError && TRANSIENT.test([error.message, ...error.details].join('\n'))
}

/** Runs kubectl to read; any exit code is an answer. */
export function kubectl(host: Look, args: readonly string[], options: KubectlOptions = {}): Promise<Output> {
  return host.probe(KUBECTL, [...common(options), ...args])
}

/**
 * `kubectl get … -o json`. @returns undefined if there is no such object or kind
 * @throws EdgeadmError class `phase` for any other answer
 */
export async function kubectlGet<T>(
  host: Look,
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<T | undefined> {
  const output = await retried(async () => {
    const answer = await kubectl(host, ['get', ...args, '-o', 'json'], options)
    if (answer.exitCode !== 0 && !isAbsent(answer.stderr))
      throw failure(`kubectl get ${args.join(' ')}`, answer)
    return answer
  })
  return output.exitCode === 0 ? (JSON.parse(output.stdout) as T) : undefined
}

/** Renders `templates/<name>` and applies it server-side as field manager `edgeadm`, whose fields it takes over. */
export function applyTemplate(
  host: Host,
  name: string,
  data: Readonly<Record<string, unknown>> = {},
  options: KubectlOptions = {},
): Promise<void> {
  return applyManifest(host, name, render(name, data), options)
}

/** @param title what is applied, for the plan and the log */
export async function applyManifest(
  host: Host,
  title: string,
  manifest: string,
  options: KubectlOptions = {},
): Promise<void> {
  const args = ['apply', '--server-side', '--field-manager=edgeadm', '--force-conflicts', '-f', '-']
  await change(host, `apply ${title}`, [...common(options), ...args], manifest)
}

/** Puts objects in the place of those that are there, as a whole: what the new form lacks is gone. */
export async function replaceManifest(
  host: Host,
  title: string,
  manifest: string,
  options: KubectlOptions = {},
): Promise<void> {
  await change(host, `replace ${title}`, [...common(options), 'replace', '-f', '-'], manifest)
}

/** A patch, a label, a deletion: any kubectl command that changes the cluster. Nothing on this machine is to be undone. */
export async function changeCluster(
  host: Host,
  title: string,
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<void> {
  await change(host, title, [...common(options), ...args])
}

/** Waits until a Deployment, DaemonSet or StatefulSet runs in its newest form. @param object `deployment/coredns` */
export async function awaitRollout(host: Look, object: string, options: WaitOptions): Promise<void> {
  const limit = `--timeout=${Math.ceil(options.timeout / 1000)}s`
  await awaited(host, `${object} to roll out`, ['rollout', 'status', object, limit], options)
}

/** Waits for a condition, as `kubectl wait --for`. @param condition `condition=Established`, `delete`, `jsonpath=…` */
export async function awaitObject(
  host: Look,
  object: string,
  condition: string,
  options: WaitOptions,
): Promise<void> {
  const limit = `--timeout=${Math.ceil(options.timeout / 1000)}s`
  await awaited(
    host,
    `${object} to reach ${condition}`,
    ['wait', `--for=${condition}`, object, limit],
    options,
  )
}

export function awaitNodeReady(host: Look, node: string, options: WaitOptions): Promise<void> {
  return awaitObject(host, `node/${node}`, 'condition=Ready', options)
}

async function awaited(
  host: Look,
  what: string,
  args: readonly string[],
  options: WaitOptions,
): Promise<void> {
  const end = Date.now() + options.timeout
  let output = await kubectl(host, args, options)
  // The API server may go away for a moment, above all while a master joins; the watch then ends early.
  while (output.exitCode !== 0 && TRANSIENT.test(output.stderr) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    output = await kubectl(host, args, options)
  }
  if (output.exitCode === 0) return
  throw new EdgeadmError('timeout', `Waited ${Math.round(options.timeout / 1000)} s for ${what}`, {
    details: [...lines(output.stderr), ...((await options.diagnose?.()) ?? [])],
  })
}

function change(host: Host, title: string, args: readonly string[], input?: string): Promise<Output> {
  return retried(() =>
    host.run(KUBECTL, args, { title, undo: null, ...(input === undefined ? {} : { input }) }),
  )
}

/** A few more tries, some seconds in all, if the failure is of the passing kind. */
function retried<T>(work: () => Promise<T>): Promise<T> {
  return pRetry(
    async () => {
      try {
        return await work()
      } catch (error) {
        throw isTransient(error) || !(error instanceof Error) ? error : new AbortError(error)
      }
    },
    { retries: 5, minTimeout: 300, factor: 2 },
  )
}

function common({ kubeconfig = ADMIN_CONF, namespace }: KubectlOptions): string[] {
  return ['--kubeconfig', kubeconfig, ...(namespace === undefined ? [] : ['--namespace', namespace])]
}

const isAbsent = (stderr: string) =>
  /\(NotFound\)|doesn't have a resource type|no matches for kind/.test(stderr)

const lines = (text: string) => text.split('\n').filter((line) => line.trim() !== '')

function failure(command: string, output: Output): EdgeadmError {
  return new EdgeadmError('phase', `${command} failed (exit code ${output.exitCode})`, {
    details: lines(output.stderr),
  })
}
