/** What users may do, asked of the API server: SubjectAccessReviews, all in one request of kubectl. */

import type { Look } from '../../host/host.ts'
import { NAMESPACE } from '../../kubeedge/cluster-facts.ts'
import { KUBECTL } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { type Finding, judged, type Position } from './finding.ts'

export interface Subject {
  readonly user: string
  readonly groups: readonly string[]
}

interface Right {
  readonly verb: string
  readonly resource: string
  readonly group?: string
  readonly namespace?: string
  readonly name?: string
}

interface Question {
  readonly position: Position
  readonly subject: Subject
  /** Who it is, in words. */
  readonly who: string
  readonly right: Right
}

export interface Account {
  readonly namespace: string
  readonly name: string
  readonly node: string
}

const EVERYBODY = 'system:authenticated'
const BOOTSTRAPPER: Subject = {
  user: 'system:bootstrap:abcdef',
  groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', EVERYBODY],
}
const ANONYMOUS: Subject = { user: 'system:anonymous', groups: ['system:unauthenticated'] }
const withoutToken = (node: string): Subject => ({
  user: `edgeadm:metaserver:${node}`,
  groups: ['edgeadm:metaserver', EVERYBODY],
})
const nodeOf = (name: string): Subject => ({
  user: `system:node:${name}`,
  groups: ['system:nodes', EVERYBODY],
})
const accountOf = ({ namespace, name }: Account): Subject => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, EVERYBODY],
})

const SECRETS: Right = { verb: 'list', resource: 'secrets' }
const PODS: Right = { verb: 'list', resource: 'pods' }
/** With each of these one becomes administrator of the cluster. */
const POWERS: readonly Right[] = [
  SECRETS,
  { verb: 'create', resource: 'pods', namespace: 'kube-system' },
  { verb: 'impersonate', resource: 'groups', name: 'system:masters' },
  { verb: 'bind', resource: 'clusterroles', group: 'rbac.authorization.k8s.io', name: 'cluster-admin' },
]

const word = ({ verb, resource, namespace, name }: Right) =>
  `${verb} ${resource}${name === undefined ? '' : ` ${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`

/**
 * @param edges names of the edge nodes
 * @param plain those whose MetaServer is plain
 * @param accounts ServiceAccounts of Pods on edge nodes
 */
export async function rightsFindings(
  host: Look,
  kubeconfig: string,
  {
    edges,
    plain,
    accounts,
  }: { edges: readonly string[]; plain: readonly string[]; accounts: readonly Account[] },
): Promise<Finding[]> {
  const root: Position = 'root on an edge node'
  const questions: Question[] = [
    ...edges.flatMap((node) =>
      [SECRETS, PODS, { verb: 'list', resource: 'configmaps' }].map((right) => ({
        position: root,
        subject: nodeOf(node),
        who: node,
        right,
      })),
    ),
    ...accounts.flatMap((account) =>
      POWERS.map((right) => ({
        position: root,
        subject: accountOf(account),
        who: `${account.namespace}/${account.name} on ${account.node}`,
        right,
      })),
    ),
    ...[SECRETS, PODS, { verb: 'get', resource: 'secrets', namespace: NAMESPACE, name: 'tokensecret' }].map(
      (right) => ({
        position: 'holder of a bootstrap token' as const,
        subject: BOOTSTRAPPER,
        who: 'a bootstrap token',
        right,
      }),
    ),
    ...(plain.length === 0 ? [''] : plain).flatMap((node) =>
      [SECRETS, { verb: 'list', resource: 'configmaps' }].map((right) => ({
        position: 'Pod or user on an edge node' as const,
        subject: withoutToken(node),
        who: node === '' ? 'the group edgeadm:metaserver' : node,
        right,
      })),
    ),
    ...[SECRETS, PODS].map((right) => ({
      position: 'anybody on the network' as const,
      subject: ANONYMOUS,
      who: 'nobody',
      right,
    })),
  ]
  const answers = await ask(host, kubeconfig, questions)
  const allowed = (matches: (question: Question) => boolean) =>
    questions
      .filter((question, index) => answers[index] === true && matches(question))
      .map(({ who, right }) => `${who} may ${word(right)}`)
  const ofUser = (prefix: string) => (question: Question) => question.subject.user.startsWith(prefix)
  const findings = [
    judged(
      root,
      'the certificate of an edge node lists no Pods, Secrets or ConfigMaps of the cluster',
      allowed(ofUser('system:node:')),
      'take away what the group system:nodes or the user was given: kubectl get clusterrolebindings -o wide',
    ),
    judged(
      root,
      'no Pod on an edge node has an account that is as good as an administrator',
      allowed(ofUser('system:serviceaccount:')),
      'root on such a node uses the tokens of its Pods: take the right away, or keep the Pod off edge nodes',
    ),
    judged(
      'holder of a bootstrap token',
      'a bootstrap token reads no Secret, and no token that outlives it',
      allowed(ofUser('system:bootstrap:')),
      'run `edgeadm init phase edge/cloudcore` with the flags of init and a package whose CloudCore has the additions of edgeadm',
    ),
    judged(
      'Pod or user on an edge node',
      'requests to MetaServer without a token read no Secrets or ConfigMaps',
      allowed(ofUser('edgeadm:metaserver')),
      'look for ClusterRoles with the label edgeadm.io/aggregate-to-metaserver',
    ),
    judged(
      'anybody on the network',
      'the API server tells nobody of Pods or Secrets without credentials',
      allowed(ofUser('system:anonymous')),
      'take away what the group system:unauthenticated was given',
    ),
  ]
  return findings
}

interface Review {
  readonly status?: { readonly allowed?: boolean }
}

/** @throws EdgeadmError class `phase` if the API server does not answer */
async function ask(host: Look, kubeconfig: string, questions: readonly Question[]): Promise<boolean[]> {
  const items = questions.map(({ subject, right: { group, ...right } }) => ({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { ...subject, resourceAttributes: { ...right, ...(group === undefined ? {} : { group }) } },
  }))
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  const create = ['--kubeconfig', kubeconfig, 'create', '-f', '-', '-o', 'json']
  const { exitCode, stdout, stderr } = await host.probe(KUBECTL, create, { input })
  if (exitCode !== 0)
    throw new EdgeadmError('phase', 'the API server does not tell what users may do', {
      details: stderr.split('\n').filter((line) => line !== ''),
      fix: 'use the credentials of an administrator',
    })
  return documents(stdout).map(({ status }) => status?.allowed === true)
}

/** kubectl writes one object after the other, or a List. */
export function documents(text: string): Review[] {
  const parts = text
    .trim()
    .split(/\n(?=\{)/)
    .map((part) => JSON.parse(part) as Review & { items?: Review[] })
  return parts.flatMap((part) => part.items ?? [part])
}
