import { expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { mergeInto } from '../../src/config/components.ts'
import { resolveInit, resolveJoin } from '../../src/config/load.ts'
import { input, problemsOf } from './fixtures.ts'

const file = (parts: string) => `apiVersion: edgeadm.io/v1alpha1\nkind: EdgeConfiguration\n${parts}`
const join = {
  token: 'abcdef.0123456789abcdef',
  'discovery-token-unsafe-skip-ca-verification': true,
}
const joinWith = (parts: string) => resolveJoin({ ...input(join, file(parts)), endpoint: '10.0.0.1:6443' })

test('maps go into maps, lists and values take the place of what is there', () => {
  const document = parseDocument('a: {b: 1, list: [1, 2]} # kept\nc: 3\n')
  mergeInto(document, { a: { list: [3], d: { e: 4 } }, c: null })
  expect(document.toJS()).toEqual({ a: { b: 1, list: [3], d: { e: 4 } }, c: null })
  expect(document.toString()).toContain('# kept')
})

test("the components' own configurations are taken from the file", () => {
  const { edge } = resolveInit(
    input(
      {},
      file(
        'cloudCore: {modules: {cloudHub: {nodeLimit: 5000}}}\nedgeCore: {modules: {eventBus: {enable: true}}}',
      ),
    ),
  )
  expect(edge.components).toEqual({
    cloudCore: { modules: { cloudHub: { nodeLimit: 5000 } } },
    edgeCore: { modules: { eventBus: { enable: true } } },
  })
})

test.each([
  ['cloudCore: {modules: {cloudHub: {nodeLimits: 1}}}', 'there is no such field'],
  ['cloudCore: {modules: {cloudHub: {nodeLimit: many}}}', 'must be a number'],
  ['cloudCore: [1]', 'must be a map'],
  ['cloudCore: {modules: {cloudHub: {authorization: {enable: false}}}}', 'edge nodes are contained by it'],
  ['cloudCore: {modules: {cloudStream: {enable: false}}}', 'use edge.stream'],
  ['edgeCore: {modules: {edged: {tailoredKubeletConfig: {readOnlyPort: 10255}}}}', 'contained'],
  ['edgeCore: {modules: {eventBus: {mqttPassword: secret}}}', 'join token'],
  ['edgeMesh: {modules: {edgeTunnel: {relayNodes: []}}}', 'use edge.edgeMeshRelays'],
])('%s is refused, with its line', (parts, why) => {
  const [problem = '', ...others] = problemsOf(() => resolveInit(input({}, file(parts))))
  expect(others).toEqual([])
  expect(problem).toMatch(/^cluster\.yaml:3: /)
  expect(problem).toContain(why)
})

test('a join takes what is for its node, also secrets, and says what it leaves alone', () => {
  const parts =
    'cloudCore: {modules: {router: {enable: true}}}\nedgeCore: {modules: {eventBus: {mqttPassword: x}}}'
  const { edge, warnings } = joinWith(parts)
  expect(edge.components).toEqual({ edgeCore: { modules: { eventBus: { mqttPassword: 'x' } } } })
  expect(warnings.join()).toContain('cluster.yaml:3: cloudCore: is for `edgeadm init`')
})
