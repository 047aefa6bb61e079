import { expect, it } from 'vitest'
import { parseConfigFile, readConfigFile } from '../../src/config/file.ts'
import { problemsOf } from './fixtures.ts'

const parse = (text: string) => parseConfigFile(text, 'cluster.yaml')

it('keeps every document with its fields and lines', () => {
  const file = parse(`# a comment
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens:
- token: abcdef.0123456789abcdef
  ttl: 1h
---
---
kind: EdgeConfiguration
apiVersion: edgeadm.io/v1alpha1
`)
  expect([...file.documents.keys()]).toEqual(['InitConfiguration', 'EdgeConfiguration'])
  const init = file.documents.get('InitConfiguration')
  expect(init?.where(['bootstrapTokens', 0, 'ttl'])).toBe('cluster.yaml:7: bootstrapTokens[0].ttl')
  expect(init?.where(['nodeRegistration', 'name'])).toBe('cluster.yaml:3: nodeRegistration.name')
})

it('reads YAML 1.1, as Kubernetes does, and JSON', () => {
  const file = parse('{"apiVersion": "edgeadm.io/v1alpha1", "kind": "EdgeConfiguration", "enableEdge": no}')
  expect(file.documents.get('EdgeConfiguration')?.value.enableEdge).toBe(false)
})

it.each([
  ['a: [1\n', /^cluster\.yaml:\d: not valid YAML: /],
  ['a: 1\na: 2\n', /^cluster\.yaml:2: not valid YAML: Map keys must be unique/],
  ['- a\n', /^cluster\.yaml:1: expected a document with apiVersion and kind$/],
  ['apiVersion: kubeadm.k8s.io/v1beta4\n', /^cluster\.yaml:1: the document has no kind$/],
  ['foo: bar\n', /^cluster\.yaml:1: the document has no apiVersion and no kind$/],
  [
    'apiVersion: v1\nkind: InitConfiguration\n',
    /^cluster\.yaml:1: apiVersion: InitConfiguration belongs to kubeadm\.k8s\.io\/…, not to v1$/,
  ],
  [
    'apiVersion: edgeadm.io/v2\nkind: EdgeConfiguration\n',
    /belongs to edgeadm\.io\/v1alpha1, not to edgeadm\.io\/v2$/,
  ],
  ['', /^cluster\.yaml has no configuration document$/],
  ['# nothing\n---\n', /^cluster\.yaml has no configuration document$/],
])('%j is refused', (text, message) => {
  const problems = problemsOf(() => parse(text))
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(message)
})

it('names both places of a kind that is there twice', () => {
  const one = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n'
  expect(problemsOf(() => parse(`${one}---\n${one}`))).toEqual([
    'cluster.yaml:4: InitConfiguration is there a second time; the first is at cluster.yaml:1',
  ])
})

it('warns of a document that is nobody’s', () => {
  const file = parse(
    'apiVersion: v1\nkind: Secret\n---\napiVersion: edgeadm.io/v1alpha1\nkind: EdgeConfiguration\n',
  )
  expect(file.warnings).toEqual([
    "cluster.yaml:2: kind: v1 Secret is none of kubeadm's or edgeadm's documents and is ignored",
  ])
})

it('says that a file is not there', () =>
  expect(readConfigFile('/nonexistent/c.yaml')).rejects.toMatchObject({
    class: 'usage',
    message: '--config: cannot read /nonexistent/c.yaml: there is no such file',
  }))
