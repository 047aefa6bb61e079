/** The cluster, asked and changed through the first master that is there. */

import pRetry from 'p-retry'
import { EdgeadmError, EXIT_CODES } from '../output/errors.ts'
import type { JoinData } from './documents.ts'
import { APPLIED_ANNOTATION, EXECUTABLE, FLEET_LABEL } from './paths.ts'
import type { Connection, ExecOptions } from './ssh/connection.ts'

export interface ClusterNode {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  /** What the fleet applied last; undefined: nothing yet. */
  readonly applied: AppliedNode | undefined
  readonly isReady: boolean
  readonly isMaster: boolean
}

export interface AppliedNode {
  readonly labels: Readonly<Record<string, string>>
  readonly taints?: readonly string[]
}

interface NodeObject {
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: { readonly taints?: ClusterNode['taints'] }
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

const KUBECTL = 'exec /usr/local/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"'
/** Milliseconds for what asks the API server. */
const TIMEOUT = 90_000
/** A second apart. Leases of a lost master end after some 15 s; a busy cluster is slower. */
const SIGNATURE_TRIES = 120
/** How long the token of a run is good. */
const TOKEN_TTL = '2h'

export class Cluster {
  readonly #connection: Connection
  readonly #master: string

  /** @param connection to a master; @param master its name, for messages */
  constructor(connection: Connection, master: string) {
    this.#connection = connection
    this.#master = master
  }

  async nodes(): Promise<ClusterNode[]> {
    const { items } = JSON.parse(await this.kubectl(['get', 'nodes', '-o', 'json'])) as {
      items: readonly NodeObject[]
    }
    return items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      labels: metadata.labels ?? {},
      taints: spec.taints ?? [],
      applied: parseApplied(metadata.annotations?.[APPLIED_ANNOTATION]),
      isReady: (status.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True'),
      isMaster: metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined,
    }))
  }

  /** @throws EdgeadmError class `phase` */
  async kubectl(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    return this.#connection.check(
      `kubectl ${args.slice(0, 2).join(' ')} on ${this.#master}`,
      this.#connection.runAsRoot(KUBECTL, args, { timeout: TIMEOUT, ...options }),
    )
  }

  /** @throws EdgeadmError class `phase` */
  async edgeadm(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    return this.#connection.check(
      `edgeadm ${args.slice(0, 2).join(' ')} on ${this.#master}`,
      this.#connection.runAsRoot(`exec ${EXECUTABLE} "$@"`, args, { timeout: TIMEOUT, ...options }),
    )
  }

  /** `edgeadm status` as JSON events: it says by its exit code that something needs hands, and its result is there all the same. */
  async status(): Promise<string> {
    const result = await this.#connection.runAsRoot(`exec ${EXECUTABLE} status --output=json`, [], {
      timeout: TIMEOUT,
    })
    if (result.exitCode === EXIT_CODES.attention) return result.stdout
    return this.#connection.check(`edgeadm status on ${this.#master}`, Promise.resolve(result))
  }

  /** A token of this run's own. Secret. @param forMasters also uploads the certificates that masters share */
  async joinData(forMasters: boolean, signal: AbortSignal): Promise<JoinData> {
    const line = await this.edgeadm([
      'token',
      'create',
      '--print-join-command',
      `--ttl=${TOKEN_TTL}`,
      ...(forMasters ? ['--control-plane'] : []),
    ])
    const data = parseJoinLine(line, this.#master)
    await this.#awaitSignature(data.token, signal)
    return data
  }

  /** Nobody can join with a token before the controller manager has signed it. After the loss of a master another one takes over first. */
  async #awaitSignature(token: string, signal: AbortSignal): Promise<void> {
    const key = `jws-kubeconfig-${token.split('.')[0]}`
    const ask = async () => {
      const text = await this.kubectl([
        'get',
        'configmap',
        'cluster-info',
        '--namespace=kube-public',
        '-o=json',
      ])
      const { data = {} } = JSON.parse(text) as { data?: Record<string, string> }
      if (data[key] === undefined)
        throw new EdgeadmError('phase', 'the cluster does not sign the token that hosts join with', {
          fix: 'look at kube-controller-manager on the masters',
        })
    }
    await pRetry(ask, { retries: SIGNATURE_TRIES, factor: 1, minTimeout: 1000, signal })
  }

  /** Takes the token back. */
  async forgetToken({ token }: JoinData): Promise<void> {
    await this.edgeadm(['token', 'delete', token.split('.')[0] ?? ''])
  }

  /** The gate between two masters: etcd and all else that the API server looks at. */
  async awaitHealthy(signal: AbortSignal): Promise<void> {
    await pRetry(() => this.kubectl(['get', '--raw=/readyz']), {
      retries: 20,
      factor: 1,
      minTimeout: 3000,
      signal,
    })
  }

  /** Labels, and the record of what was applied. Labels that the fleet set before and that are gone from the file go. */
  async label(
    node: string,
    fleet: string,
    labels: Readonly<Record<string, string>>,
    applied: AppliedNode,
  ): Promise<void> {
    const object = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: node,
        labels: { ...labels, [FLEET_LABEL]: fleet },
        annotations: { [APPLIED_ANNOTATION]: JSON.stringify(applied) },
      },
    }
    await this.kubectl(
      ['apply', '--server-side', '--force-conflicts', '--field-manager=edgeadm-fleet', '-f', '-'],
      { stdin: JSON.stringify(object) },
    )
  }

  /** @param changes as kubectl takes them: KEY=VALUE:EFFECT, KEY:EFFECT- */
  async taint(node: string, changes: readonly string[]): Promise<void> {
    if (changes.length > 0) await this.kubectl(['taint', 'node', node, '--overwrite', ...changes])
  }

  /** @param timeout as kubectl takes it: 5m */
  async drain(node: string, timeout: string): Promise<void> {
    await this.kubectl(
      ['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force', `--timeout=${timeout}`],
      { timeout: 0 },
    )
  }

  async removeNode(node: string): Promise<void> {
    await this.edgeadm(['reset', '--force', '--remove-node', node])
  }
}

function parseApplied(text: string | undefined): AppliedNode | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as AppliedNode
  } catch {
    return undefined // somebody wrote it by hand
  }
}

/** `edgeadm join HOST:PORT --token … --discovery-token-ca-cert-hash … [--control-plane --certificate-key …]` */
export function parseJoinLine(line: string, master: string): JoinData {
  const words = line.trim().split(/\s+/)
  const after = (flag: string): string | undefined => words[words.indexOf(flag) + 1]
  const endpoint = words[2]
  const token = after('--token')
  const caCertHash = after('--discovery-token-ca-cert-hash')
  if (words[1] !== 'join' || endpoint === undefined || token === undefined || caCertHash === undefined)
    throw new EdgeadmError('internal', `${master} printed no join line`)
  return {
    endpoint,
    token,
    caCertHash,
    ...(words.includes('--certificate-key') ? { certificateKey: after('--certificate-key') as string } : {}),
  }
}
