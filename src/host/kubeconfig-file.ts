/** The administrator's kubeconfig: what edgeadm put into it goes, what others added stays. */

import { isMap, isSeq, parseDocument } from 'yaml'

/**
 * The kubeconfig without the contexts, clusters and users that edgeadm wrote; undefined where nothing else is in it.
 * @throws Error when one of the two is not YAML
 */
export function withoutOwn(current: string, written: string): string | undefined {
  const now = documentOf(current)
  const own = documentOf(written)
  let others = 0
  for (const list of ['clusters', 'contexts', 'users']) {
    const names = new Set(namesIn(own.get(list)))
    const items = now.get(list)
    if (!isSeq(items)) continue
    items.items = items.items.filter((item) => !names.has(nameOf(item)))
    others += items.items.length
  }
  if (others === 0) return undefined
  const contexts = namesIn(now.get('contexts'))
  if (!contexts.includes(String(now.get('current-context')))) now.set('current-context', contexts[0] ?? '')
  return String(now)
}

function documentOf(text: string): ReturnType<typeof parseDocument> {
  const document = parseDocument(text)
  if (document.errors[0] !== undefined || !isMap(document.contents)) throw new Error('it is no kubeconfig')
  return document
}

const namesIn = (list: unknown): string[] => (isSeq(list) ? list.items.map(nameOf) : [])
const nameOf = (item: unknown): string => (isMap(item) ? String(item.get('name')) : '')
