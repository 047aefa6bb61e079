import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  LineCounter,
  type Node,
  parseAllDocuments,
  type ScalarTag,
  type Tags,
} from 'yaml'
import { EdgeadmError } from '../output/errors.ts'
import { CLUSTER_KIND, EDGE_API_VERSION, EDGE_KIND } from './edge-configuration.ts'
import { Problems } from './problems.ts'
import type { PlainDocument } from './types.ts'

export type FieldPath = readonly (string | number)[]

export interface ConfigDocument {
  readonly kind: string
  readonly apiVersion: string
  readonly value: PlainDocument
  /** `cluster.yaml:12: networking.podSubnet`; the nearest parent's line where the field is not there. */
  where(path: FieldPath): string
}

export interface ConfigFile {
  readonly name: string
  readonly documents: ReadonlyMap<string, ConfigDocument>
  readonly warnings: readonly string[]
}

const KUBEADM_GROUP = 'kubeadm.k8s.io/'
/** Kinds that a file may carry and the group each belongs to. `UpgradeConfiguration` is for another command and is let be. */
const GROUP_OF_KIND: Readonly<Record<string, string>> = {
  InitConfiguration: KUBEADM_GROUP,
  ClusterConfiguration: KUBEADM_GROUP,
  JoinConfiguration: KUBEADM_GROUP,
  ResetConfiguration: KUBEADM_GROUP,
  UpgradeConfiguration: KUBEADM_GROUP,
  KubeletConfiguration: 'kubelet.config.k8s.io/',
  KubeProxyConfiguration: 'kubeproxy.config.k8s.io/',
  [EDGE_KIND]: EDGE_API_VERSION,
  [CLUSTER_KIND]: EDGE_API_VERSION,
}

export function formatPath(path: FieldPath): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index ? `.${step}` : step))
    .join('')
}

/** @throws EdgeadmError class `usage`: the file cannot be read, is no YAML, or its documents contradict each other */
export async function readConfigFile(path: string, flag = '--config'): Promise<ConfigFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : String(code)
    throw new EdgeadmError('usage', `${flag}: cannot read ${path}: ${why}`, { cause })
  }
  return parseConfigFile(text, basename(path))
}

/** The library takes `e1` for a number (NaN), for want of digits before the exponent; Kubernetes reads a string, as YAML 1.1 has it. */
function withoutBareExponents(tags: Tags): Tags {
  return tags.map((tag) =>
    typeof tag === 'object' && 'test' in tag && tag.format === 'EXP'
      ? { ...(tag as ScalarTag), test: /^[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)[eE][-+]?[0-9]+$/ }
      : tag,
  )
}

/** @param name how the file is called in messages */
export function parseConfigFile(text: string, name: string): ConfigFile {
  const lines = new LineCounter()
  // Kubernetes reads YAML 1.1, where `yes` and `on` are booleans.
  const parsed = parseAllDocuments(text, {
    version: '1.1',
    lineCounter: lines,
    prettyErrors: false,
    customTags: withoutBareExponents,
  })
  const problems = new Problems()
  const warnings: string[] = []
  const documents = new Map<string, ConfigDocument>()
  const lineAt = (offset: number) => lines.linePos(offset).line

  for (const document of Array.isArray(parsed) ? parsed : []) {
    for (const error of document.errors)
      problems.add(`${name}:${lineAt(error.pos[0])}`, `not valid YAML: ${error.message}`)
    if (document.errors.length > 0 || document.contents === null) continue
    // A document of comments alone is a node without a value.
    const value = document.toJS() as unknown
    if (value === null) continue
    const start = `${name}:${lineAt(document.contents.range?.[0] ?? 0)}`
    if (!isMap(document.contents)) {
      problems.add(start, 'expected a document with apiVersion and kind')
      continue
    }
    const one = toConfigDocument(document, value as PlainDocument, name, lineAt)
    const missing = (['apiVersion', 'kind'] as const).filter(
      (field) => typeof one[field] !== 'string' || one[field] === '',
    )
    if (missing.length > 0) {
      problems.add(start, `the document has no ${missing.join(' and no ')}`)
      continue
    }
    const group = GROUP_OF_KIND[one.kind]
    if (group === undefined) {
      warnings.push(
        `${one.where(['kind'])}: ${one.apiVersion} ${one.kind} is none of kubeadm's or edgeadm's documents and is ignored`,
      )
    } else if (!one.apiVersion.startsWith(group)) {
      const example = group.endsWith('/') ? `${group}…` : group
      problems.add(one.where(['apiVersion']), `${one.kind} belongs to ${example}, not to ${one.apiVersion}`)
    } else if (documents.has(one.kind)) {
      problems.add(
        start,
        `${one.kind} is there a second time; the first is at ${documents.get(one.kind)?.where([])}`,
      )
    } else documents.set(one.kind, one)
  }
  problems.throwIfAny()
  if (documents.size === 0) throw new EdgeadmError('usage', `${name} has no configuration document`)
  return { name, documents, warnings }
}

function toConfigDocument(
  document: Document.Parsed,
  value: PlainDocument,
  name: string,
  lineAt: (offset: number) => number,
): ConfigDocument {
  return {
    kind: value.kind as string,
    apiVersion: value.apiVersion as string,
    value,
    where(path) {
      const place = `${name}:${lineAt(offsetOf(document.contents as Node, path))}`
      return path.length > 0 ? `${place}: ${formatPath(path)}` : place
    },
  }
}

/** Where a field's key (or a list's item) begins. */
function offsetOf(root: Node, path: FieldPath): number {
  let node: Node = root
  let offset = root.range?.[0] ?? 0
  for (const step of path) {
    if (!isCollection(node)) break
    const pair = isMap(node)
      ? node.items.find(
          (item) => isNode(item.key) && 'value' in item.key && String(item.key.value) === String(step),
        )
      : undefined
    const next = node.get(step, true)
    const key = pair && isNode(pair.key) ? pair.key : undefined
    offset = key?.range?.[0] ?? (isNode(next) ? next.range?.[0] : undefined) ?? offset
    if (!isNode(next)) break
    node = next
  }
  return offset
}
