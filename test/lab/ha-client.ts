/**
 * A client of the API through the virtual address, as a program of its own in the lab's network: it asks all the time, writes,
 * and holds watches. It ends when its standard input does, and then says on standard output what it met.
 *
 *   node ha-client.ts KUBECONFIG WATCHES
 */

import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { parse } from 'yaml'

export interface ClientReport {
  /** Milliseconds between two answers to new connections, the longest first; those above 200 ms. */
  readonly gaps: readonly number[]
  readonly answers: number
  /** Writes that the API acknowledged, and how many of them are not there in the end. */
  readonly acknowledged: number
  readonly lost: number
  readonly watches: number
  readonly broken: number
}

const [kubeconfig = '', watchCount = '0'] = process.argv.slice(2)
const config = parse(readFileSync(kubeconfig, 'utf8'))
const server: string = config.clusters[0].cluster.server
const pem = (text: string): Buffer => Buffer.from(text, 'base64')
const tls = {
  ca: pem(config.clusters[0].cluster['certificate-authority-data']),
  cert: pem(config.users[0].user['client-certificate-data']),
  key: pem(config.users[0].user['client-key-data']),
}
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
/** Of this client alone. */
const LABEL = `edgeadm-test=${process.pid}`

const answers: number[] = []
const acknowledged: string[] = []
let broken = 0
let ended = false

interface Answer {
  readonly status: number
  readonly body: string
}

function ask(
  agent: Agent | false,
  method: string,
  path: string,
  body?: object,
  limit = 1500,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      server + path,
      {
        ...tls,
        agent,
        method,
        headers: { 'content-type': 'application/json' },
        signal: AbortSignal.timeout(limit),
      },
      (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    // After the answer it says nothing more; an answer that was cut off may end with this alone.
    outgoing.on('close', () => reject(new Error('closed')))
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Every 50 ms one, whether or not the last was answered. */
async function askAllTheTime(): Promise<void> {
  while (!ended) {
    ask(false, 'GET', '/readyz').then(
      ({ status }) => {
        if (status === 200) answers.push(performance.now())
      },
      () => {},
    )
    await delay(50)
  }
}

/** Every 100 ms one, on a connection that is kept and made anew when it broke. */
async function write(): Promise<void> {
  let agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let index = 0; !ended; index++) {
    const name = `write-${process.pid}-${index}`
    const body = {
      metadata: { name, labels: { 'edgeadm-test': String(process.pid) } },
      data: { index: String(index) },
    }
    try {
      if ((await ask(agent, 'POST', CONFIG_MAPS, body)).status === 201) acknowledged.push(name)
    } catch {
      agent.destroy()
      agent = new Agent({ keepAlive: true, maxSockets: 1 })
    }
    await delay(100)
  }
  agent.destroy()
}

/** Resolves when the watch stands. */
function watch(): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `${CONFIG_MAPS}?watch=1&timeoutSeconds=3600&labelSelector=edgeadm-test%3Dnone`
    const outgoing = request(server + path, { ...tls, agent: new Agent() }, (response) => {
      response.resume()
      resolve()
      let counted = false
      const count = () => {
        if (!ended && !counted) broken += 1
        counted = true
      }
      response.on('error', count)
      response.on('close', count)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** Once more until it works: the list is of use only when it is whole. */
async function stored(): Promise<Set<string>> {
  for (;;) {
    try {
      const { status, body } = await ask(
        false,
        'GET',
        `${CONFIG_MAPS}?labelSelector=${LABEL.replace('=', '%3D')}`,
        undefined,
        10_000,
      )
      const items = (JSON.parse(body) as { items?: { metadata: { name: string } }[] }).items
      if (status === 200 && items) return new Set(items.map((one) => one.metadata.name))
    } catch {
      await delay(200)
    }
  }
}

const watches = Number(watchCount)
await Promise.all(Array.from({ length: watches }, watch))
const work = [askAllTheTime(), write()]
process.stdout.write('ready\n')
await new Promise<void>((resolve) => process.stdin.on('end', resolve).resume())
const brokenWatches = broken
ended = true
await Promise.all(work)
const present = await stored()
// One write in etcd for each of them.
const all = `${CONFIG_MAPS}?labelSelector=${LABEL.replace('=', '%3D')}`
await ask(false, 'DELETE', all, undefined, 120_000)
answers.sort((one, other) => one - other)
const gaps = answers.slice(1).map((time, index) => Math.round(time - (answers[index] ?? time)))
const report: ClientReport = {
  gaps: gaps.filter((gap) => gap > 200).sort((one, other) => other - one),
  answers: answers.length,
  acknowledged: acknowledged.length,
  lost: acknowledged.filter((name) => !present.has(name)).length,
  watches,
  broken: brokenWatches,
}
process.stdout.write(`${JSON.stringify(report)}\n`)
process.exit(0)
