import { expect, test } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { DEFAULT_RECIPES } from '../../../src/package/build/builtin.ts'
import { readRecipes } from '../../../src/package/build/read-recipe.ts'
import { findingsText } from '../../../src/run/security/finding.ts'
import { type Objects, objectFindings, POLICIES } from '../../../src/run/security/objects.ts'
import { isGuarded } from '../../../src/run/security/ports.ts'
import { documents, rightsFindings } from '../../../src/run/security/rights.ts'

const policies = POLICIES.map(([name]) => name)
const { components } = await readRecipes(DEFAULT_RECIPES)
const additions = components
  .flatMap(({ name, sources }) => (name === 'kubeedge' ? sources : []))
  .flatMap((source) => (source.type === 'go' ? (source.additions ?? []) : []))
  .map(({ name }) => name)
const whole: Objects = {
  nodes: [{ metadata: { name: 'edge-1', labels: { 'node-role.kubernetes.io/edge': '' } } }],
  policies: policies.map((name) => ({ metadata: { name }, spec: { failurePolicy: 'Fail' } })),
  bindings: policies.map((name) => ({
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  })),
  cloudCore: { metadata: { annotations: { 'edgeadm.io/additions': additions.join(' ') } } },
  configuration:
    'featureGates: {requireAuthorization: true}\nmodules: {cloudHub: {authorization: {enable: true, debug: false}}}\n',
  tokens: [{ id: 'abcdef', expires: '2026-01-01T00:00:00Z' }],
  pods: [],
}
const open = async (change: Partial<Objects>) =>
  (await objectFindings({ ...whole, ...change })).filter(({ state }) => state === 'open')

test.each<[string, Partial<Objects>, RegExp | undefined]>([
  ['all as edgeadm makes it', {}, undefined],
  [
    "the publisher's CloudCore",
    { cloudCore: { metadata: { annotations: { 'edgeadm.io/additions': '' } } } },
    /CloudCore was built/,
  ],
  ['a CloudCore of unknown making', { cloudCore: { metadata: {} } }, /CloudCore was built/],
  ['a policy is gone', { policies: whole.policies.slice(1) }, /serving certificates/],
  [
    'a policy only warns',
    {
      bindings: whole.bindings.map((one, index) =>
        index > 0 ? one : { ...one, spec: { ...one.spec, validationActions: ['Warn'] } },
      ),
    },
    /serving certificates/,
  ],
  [
    'authorization is debugged',
    { configuration: whole.configuration?.replace('debug: false', 'debug: true') },
    /hub gives/,
  ],
  [
    'an edge node is a master',
    {
      nodes: [
        {
          metadata: {
            name: 'edge-1',
            labels: { 'node-role.kubernetes.io/edge': '', 'node-role.kubernetes.io/control-plane': '' },
          },
        },
      ],
    },
    /label of a master/,
  ],
  [
    'a token without an end',
    { tokens: [{ id: 'abcdef', expires: undefined }] },
    /bootstrap token has an end/,
  ],
])('%s', async (_, change, what) => {
  const found = await open(change)
  if (what === undefined) return expect(found).toEqual([])
  expect(found).toHaveLength(1)
  expect(found[0]?.what).toMatch(what)
  expect(findingsText(found)).toMatch(/^ {2}OPEN {2}/m)
})

/** Answers a review with what `may` says of the user and the resource. */
const cluster = (may: (user: string, resource: string) => boolean) => {
  interface Reviews {
    items: { spec: { user: string; resourceAttributes: { resource: string } } }[]
  }
  const probe: Host['probe'] = async (_file, _args, options) => {
    const { items } = JSON.parse(String(options?.input)) as Reviews
    const stdout = items
      .map(({ spec }) =>
        JSON.stringify({ status: { allowed: may(spec.user, spec.resourceAttributes.resource) } }, null, 4),
      )
      .join('\n')
    return { exitCode: 0, stdout, stderr: '' } as Awaited<ReturnType<Host['probe']>>
  }
  return { probe } as Host
}
const asked = {
  edges: ['edge-1'],
  plain: [],
  accounts: [{ namespace: 'default', name: 'strong', node: 'edge-1' }],
}

test.each([
  ['system:node:edge-1', 'pods', 'edge-1 may list pods'],
  [
    'system:bootstrap:abcdef',
    'secrets',
    'a bootstrap token may list secrets, a bootstrap token may get secrets tokensecret in kubeedge',
  ],
  [
    'system:serviceaccount:default:strong',
    'clusterroles',
    'default/strong on edge-1 may bind clusterroles cluster-admin',
  ],
])('what %s may to %s is told', async (user, resource, told) => {
  const host = cluster((who, what) => who === user && what === resource)
  const found = await rightsFindings(host, '/admin.conf', asked)
  expect(found.filter(({ state }) => state === 'open').map(({ detail }) => detail)).toEqual([told])
  expect(found.filter(({ state }) => state === 'closed').length).toBeGreaterThan(3)
})

test("kubectl's objects are read one after the other and as a List", () => {
  const one = JSON.stringify({ status: { allowed: true } }, null, 4)
  expect(documents(`${one}\n${one}\n`)).toHaveLength(2)
  expect(documents(JSON.stringify({ kind: 'List', items: [{ status: { allowed: true } }] }))).toEqual([
    { status: { allowed: true } },
  ])
})

const RULES = (input: string, chain = '') =>
  `*filter\n:INPUT ACCEPT [0:0]\n:EDGEADM-TUNNEL - [0:0]\n${input}${chain}COMMIT\n`

test.each([
  [
    RULES(
      '-A INPUT -p tcp -m tcp --dport 10003 -j EDGEADM-TUNNEL\n',
      '-A EDGEADM-TUNNEL -i lo -j RETURN\n-A EDGEADM-TUNNEL -j DROP\n',
    ),
    true,
  ],
  [RULES('-A INPUT -p tcp -m tcp --dport 10003 -j DROP\n'), true],
  [
    RULES('-A INPUT -p tcp -m tcp --dport 10003 -j EDGEADM-TUNNEL\n', '-A EDGEADM-TUNNEL -i lo -j RETURN\n'),
    false,
  ],
  [RULES('-A INPUT -p tcp -m tcp --dport 110003 -j DROP\n'), false],
  [RULES(''), false],
  ['', false],
])('rules %#: guarded is %s', (rules, guarded) => {
  expect(isGuarded(rules)).toBe(guarded)
})
