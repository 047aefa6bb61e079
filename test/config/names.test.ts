import { expect, it } from 'vitest'
import {
  formatHostPort,
  hostProblem,
  nodeNameProblem,
  ownLabelProblem,
  parseHostPort,
  parseLabel,
  parseTaint,
  subdomainProblem,
} from '../../src/config/names.ts'

it.each(['node', 'node-1.example', '1node', 'a'.repeat(63)])('%s is a node name', (name) =>
  expect(subdomainProblem(name)).toBeUndefined(),
)
it.each(['', 'Node', 'a_b', '-a', 'a-', 'a..b', `${'a'.repeat(250)}.bcd`])('"%s" is no node name', (name) =>
  expect(subdomainProblem(name)).toBeDefined(),
)

it.each([
  ['10.0.0.1:6443', '10.0.0.1', 6443],
  ['[fd00::1]:6443', 'fd00::1', 6443],
  ['fd00::1', 'fd00::1', undefined],
  ['api.example', 'api.example', undefined],
])('%s', (text, host, port) => expect(parseHostPort(text)).toEqual({ host, port }))

it.each(['', ':6443', 'a:b', 'a:0', 'a:65536', 'https://a:6443', '10.0.0.256:6443', 'a b'])(
  '"%s" is no endpoint',
  (text) => expect(parseHostPort(text)).toBeTypeOf('string'),
)

it('puts IPv6 addresses in brackets', () => expect(formatHostPort('fd00::1', 6443)).toBe('[fd00::1]:6443'))
it('takes four numbers for an address', () =>
  expect(hostProblem('10.0.0.300')).toBe('"10.0.0.300" is not a valid IP address'))

it('reads labels', () => {
  expect(parseLabel('node-role.kubernetes.io/edge=')).toEqual(['node-role.kubernetes.io/edge', ''])
  expect(parseLabel('edge')).toBe('"edge" is not KEY=VALUE')
  expect(parseLabel('a/b/c=d')).toBeTypeOf('string')
  expect(parseLabel('a=b c')).toBeTypeOf('string')
})

it('reads taints', () => {
  expect(parseTaint('a=b:NoSchedule')).toEqual({ key: 'a', value: 'b', effect: 'NoSchedule' })
  expect(parseTaint('example.com/a:NoExecute')).toEqual({ key: 'example.com/a', effect: 'NoExecute' })
  expect(parseTaint('a=b:Never')).toContain('NoSchedule, PreferNoSchedule, NoExecute')
  expect(parseTaint('a=b')).toContain('is not KEY=VALUE:EFFECT')
})

it.each(['a'.repeat(64), `${'a'.repeat(40)}.${'b'.repeat(30)}`])('%s is too long for a node', (name) =>
  expect(nodeNameProblem(name)).toMatch(/has \d\d characters, and a node's name may have 63.*--node-name/),
)
it('63 characters are not', () => expect(nodeNameProblem('a'.repeat(63))).toBeUndefined())

it.each([
  ['node-role.kubernetes.io/control-plane', false],
  ['node-restriction.kubernetes.io/tenant', false],
  ['x.k8s.io/y', false],
  ['node.kubernetes.io/kind', true],
  ['topology.kubernetes.io/zone', true],
  ['node-role.kubernetes.io/edge', true],
  ['example.org/zone', true],
  ['zone', true],
])('a node may give itself the label %s: %s', (key, may) => {
  expect(ownLabelProblem(key) === undefined).toBe(may)
})
