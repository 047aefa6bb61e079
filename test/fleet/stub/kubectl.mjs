#!/usr/bin/env node
// Stands for kubectl: nodes are files in /srv/cluster/nodes. Server-side apply of one field manager, and taints.
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const directory = '/srv/cluster/nodes'
const args = process.argv.slice(4)
const read = (name) => JSON.parse(readFileSync(`${directory}/${name}`, 'utf8'))
const write = (name, node) => writeFileSync(`${directory}/${name}`, JSON.stringify(node))
const [verb, what, name] = args
if (verb === 'get' && what === 'nodes')
  console.log(JSON.stringify({ items: existsSync(directory) ? readdirSync(directory).map(read) : [] }))
if (verb === 'get' && what === 'configmap') {
  // The controller manager is late once, if a test wants it.
  const late = '/srv/cluster/signs-late'
  console.log(existsSync(late) ? '{"data": {}}' : '{"data": {"jws-kubeconfig-abcdef": "signed"}}')
  rmSync(late, { force: true })
}
if (verb === 'get' && what.startsWith('--raw')) console.log('ok')
if (verb === 'drain') appendFileSync('/srv/cluster/history', `drain ${what}\n`)
if (verb === 'apply') {
  const { metadata } = JSON.parse(readFileSync(0, 'utf8'))
  const node = read(metadata.name)
  for (const key of Object.keys(node.owned ?? {})) delete node.metadata.labels[key]
  node.owned = metadata.labels
  node.metadata = {
    ...node.metadata,
    labels: { ...node.metadata.labels, ...metadata.labels },
    annotations: metadata.annotations,
  }
  write(metadata.name, node)
}
if (verb === 'taint') {
  const node = read(name)
  node.spec.taints = node.spec.taints ?? []
  for (const change of args.slice(4)) {
    const [, key, value, effect, minus] = /^([^=:]+)(?:=([^:]*))?:(\w+)(-?)$/.exec(change)
    node.spec.taints = node.spec.taints.filter((taint) => taint.key !== key || taint.effect !== effect)
    if (!minus) node.spec.taints.push({ key, effect, ...(value ? { value } : {}) })
  }
  write(name, node)
}
