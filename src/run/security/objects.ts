/** What the cluster's objects say about its edge: policies, CloudCore, nodes, tokens, EdgeMesh's gateway. */

import { parse } from 'yaml'
import { METASERVER_LABEL } from '../../kubeedge/mesh.ts'
import { ADDITIONS_ANNOTATION } from '../../kubeedge/parts.ts'
import { openWithout } from '../../package/index.ts'
import { type Finding, judged, type Position } from './finding.ts'

export interface Objects {
  readonly nodes: readonly {
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  }[]
  /** Names of ValidatingAdmissionPolicyBindings, and what they do. */
  readonly bindings: readonly {
    readonly metadata: { readonly name: string }
    readonly spec: { readonly policyName?: string; readonly validationActions?: readonly string[] }
  }[]
  readonly policies: readonly {
    readonly metadata: { readonly name: string }
    readonly spec: { readonly failurePolicy?: string }
  }[]
  /** The Deployment or DaemonSet. */
  readonly cloudCore:
    | { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }
    | undefined
  /** cloudcore.yaml. */
  readonly configuration: string | undefined
  /** Bootstrap tokens, without what is secret in them. */
  readonly tokens: readonly { readonly id: string; readonly expires: string | undefined }[]
  readonly pods: readonly {
    readonly metadata: {
      readonly name: string
      readonly namespace: string
      readonly labels?: Record<string, string>
    }
    readonly spec: {
      readonly nodeName?: string
      readonly serviceAccountName?: string
      readonly hostNetwork?: boolean
    }
  }[]
}

export const EDGE = 'node-role.kubernetes.io/edge'
const MASTER = 'node-role.kubernetes.io/control-plane'
const ROOT: Position = 'root on an edge node'
const ON_EDGE: Position = 'Pod or user on an edge node'

/** templates/edge/cloud/*-policy.yaml, and what is open without. */
export const POLICIES = [
  ['edgeadm-kubelet-serving-csr', 'serving certificates are asked for by nodes for themselves alone'],
  ['edgeadm-cloudcore-approval', 'CloudCore approves serving certificates of nodes, and nothing else'],
  ['edgeadm-nodes', 'neither a node nor CloudCore makes a master of a Node'],
  ['edgeadm-masters-record', 'administrators alone write the record of the masters'],
  ['edgeadm-metaserver-mode', 'a node does not make its own MetaServer one that asks for no token'],
] as const

export async function objectFindings(objects: Objects): Promise<Finding[]> {
  const edges = objects.nodes.filter(({ metadata }) => metadata.labels?.[EDGE] !== undefined)
  return [
    await additions(objects),
    ...settings(objects.configuration),
    ...POLICIES.map(([name, what]) => policy(objects, name, what)),
    judged(
      ROOT,
      'no edge node has the label of a master',
      edges
        .filter(({ metadata }) => metadata.labels?.[MASTER] !== undefined)
        .map(({ metadata }) => metadata.name),
      `take the label away: kubectl label node NAME ${MASTER}-`,
    ),
    judged(
      'holder of a bootstrap token',
      'each bootstrap token has an end',
      objects.tokens.filter(({ expires }) => expires === undefined).map(({ id }) => `${id} has none`),
      'edgeadm token delete ID',
    ),
    ...plain(edges.map(({ metadata }) => metadata)),
    ...gateways(objects),
  ]
}

async function additions({ cloudCore }: Objects): Promise<Finding> {
  const what = 'CloudCore was built with the additions of this edgeadm'
  const carried = cloudCore?.metadata.annotations?.[ADDITIONS_ANNOTATION]
  if (carried === undefined)
    return {
      position: ROOT,
      what,
      state: 'open',
      detail: cloudCore === undefined ? 'there is no CloudCore' : 'it is not on record how it was built',
      fix: 'run `edgeadm init phase edge/cloudcore` with the flags and the package of init',
    }
  const open = await openWithout('cloudcore-image', carried.split(' '))
  return judged(
    ROOT,
    what,
    open,
    'use a package that was built where Go is installed, and run `edgeadm init` with it again',
  )
}

interface Configuration {
  readonly featureGates?: { readonly requireAuthorization?: boolean }
  readonly modules?: {
    readonly cloudHub?: { readonly authorization?: { enable?: boolean; debug?: boolean } }
  }
}

function settings(text: string | undefined): Finding[] {
  const { featureGates, modules } = (parse(text ?? '') ?? {}) as Configuration
  const authorization = modules?.cloudHub?.authorization
  const fix = 'run `edgeadm init phase edge/cloudcore` with the flags of init'
  const isOn = authorization?.enable === true && authorization.debug !== true
  return [
    judged(
      ROOT,
      "CloudCore's hub gives a node what that node may have",
      isOn ? [] : ['modules.cloudHub.authorization is not enforced'],
      fix,
    ),
    judged(
      ON_EDGE,
      'MetaServer can ask for tokens',
      featureGates?.requireAuthorization === true ? [] : ['featureGates.requireAuthorization is off'],
      fix,
    ),
  ]
}

function policy({ policies, bindings }: Objects, name: string, what: string): Finding {
  const made = policies.find(({ metadata }) => metadata.name === name)
  const bound = bindings.some(
    ({ spec }) => spec.policyName === name && spec.validationActions?.includes('Deny') === true,
  )
  const problem =
    made === undefined
      ? `there is no ValidatingAdmissionPolicy ${name}`
      : made.spec.failurePolicy === 'Ignore'
        ? `${name} ignores failures`
        : bound
          ? undefined
          : `${name} has no binding that denies`
  return judged(
    ROOT,
    what,
    problem === undefined ? [] : [problem],
    'run `edgeadm init phase edge/custom-resources` with the flags of init',
  )
}

function plain(
  edges: readonly { readonly name: string; readonly labels?: Readonly<Record<string, string>> }[],
): Finding[] {
  const names = edges.filter(({ labels }) => labels?.[METASERVER_LABEL] === 'plain').map(({ name }) => name)
  if (names.length === 0) return []
  return [
    {
      position: ON_EDGE,
      what: 'with --metaserver=plain whoever is on the machine reads what the ClusterRole edgeadm-metaserver allows',
      state: 'told',
      detail: names.join(', '),
    },
  ]
}

/** On a node of the cloud the gateway lists all Secrets: nothing stands between it and the API server. */
function gateways({ pods, nodes }: Objects): Finding[] {
  const running = pods.filter(
    ({ metadata }) => metadata.namespace === 'kubeedge' && metadata.labels?.kubeedge === 'edgemesh-gateway',
  )
  const labels = (name: string | undefined) =>
    nodes.find(({ metadata }) => metadata.name === name)?.metadata.labels
  const workers = running
    .map(({ spec }) => spec.nodeName)
    .filter((name) => labels(name)?.[EDGE] === undefined && labels(name)?.[MASTER] === undefined)
  if (workers.length === 0) return []
  return [
    {
      position: ON_EDGE,
      what: "EdgeMesh's gateway on a worker may read all Secrets of the cluster; on a master or an edge node it adds nothing",
      state: 'told',
      detail: workers.join(', '),
    },
  ]
}
