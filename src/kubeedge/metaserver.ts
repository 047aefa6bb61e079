/** MetaServer, the API that Pods on an edge node see, asked as such a Pod would ask it. */

import type { Look } from '../host/host.ts'
import { type Answer, ask, NoAnswer } from '../network/request.ts'
import { METASERVER, METASERVER_CA, METASERVER_FOR_PODS } from './paths.ts'

export type CheckResult = {
  /** What was asked. */
  readonly what: string
  /** True, or why not. */
  readonly result: true | string
  /** What it said, in a few words. */
  readonly detail: string
  /** Milliseconds. */
  readonly ms: number
}

interface Options {
  readonly host: Look
  readonly signal: AbortSignal
  readonly secure: boolean
}

const SERVICES = '/api/v1/services'
/** Bytes. A list of all Services of a big cluster. */
const MAXIMUM = 64 * 1024 * 1024
const ANONYMOUS_REFUSED = 403
const TOKEN_REFUSED = 401

/** Every check of `edgeadm check edge` that is about MetaServer; the join awaits that all of them are good. */
export async function checkMetaServer(options: Options): Promise<CheckResult[]> {
  return options.secure ? checkSecure(options) : checkPlain(options)
}

async function checkPlain({ signal }: Options): Promise<CheckResult[]> {
  const base = `http://${METASERVER}`
  return Promise.all([
    timed(`GET ${base}/version`, async () =>
      statusIs(await ask({ url: `${base}/version`, caPem: undefined, signal }), 200),
    ),
    timed(`GET ${base}${SERVICES}`, async () =>
      askTwice(async () =>
        listsServices(await ask({ url: base + SERVICES, caPem: undefined, signal, maximum: MAXIMUM })),
      ),
    ),
  ])
}

async function checkSecure({ host, signal }: Options): Promise<CheckResult[]> {
  const caPem = await host.readFile(METASERVER_CA)
  if (caPem === undefined)
    return [
      {
        what: `read ${METASERVER_CA}`,
        result: 'edgecore has not got it from the cloud yet',
        detail: '',
        ms: 0,
      },
    ]
  const token = await podToken(host)
  const atAddress = (address: string) => {
    const base = `https://${address}`
    const get = (path: string, bearer?: string) =>
      ask({ url: base + path, caPem, signal, bearerToken: bearer, maximum: MAXIMUM })
    return Promise.all([
      timed(`GET ${base}/version, certificate verified`, async () => statusIs(await get('/version'), 200)),
      timed(`GET ${base}${SERVICES} without a token`, async () =>
        statusIs(await get(SERVICES), ANONYMOUS_REFUSED),
      ),
      timed(`GET ${base}${SERVICES} with a bad token`, async () =>
        statusIs(await get(SERVICES, 'bad'), TOKEN_REFUSED),
      ),
      timed(`GET ${base}${SERVICES} with a Pod's token`, async () =>
        token === undefined
          ? ['no Pod of DaemonSet kubeedge/edge-check runs on this node', '']
          : askTwice(async () => listsServices(await get(SERVICES, token))),
      ),
    ])
  }
  // One address after the other: of two equal requests at the same moment edgecore may lose one (KubeEdge 1.23,
  // edge/pkg/metamanager/metaserver/agent/agent.go: both reset the one Application that they share).
  return [...(await atAddress(METASERVER)), ...(await atAddress(METASERVER_FOR_PODS))]
}

type Outcome = readonly [result: true | string, detail: string]

async function timed(what: string, check: () => Promise<Outcome>): Promise<CheckResult> {
  const started = Date.now()
  try {
    const [result, detail] = await check()
    return { what, result, detail, ms: Date.now() - started }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const result = code === 'ECONNREFUSED' ? 'nothing listens there' : message
    return { what, result, detail: '', ms: Date.now() - started }
  }
}

/**
 * The publisher's edgecore drops an answer of the cloud that comes before it has begun to wait for it (KubeEdge 1.23, beehive's
 * pkg/core/channel/context_channel.go: "no goroutine is ready for receive the message"), and then says nothing for 10 s. Our
 * addition `lost-answers` keeps it. That is one request's bad luck and no fault of the node, so the request is made once more,
 * and the line says so.
 */
async function askTwice(ask: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof NoAnswer) || error.code !== 'ETIMEDOUT') throw error
    const [result, detail] = await ask()
    return [result, `${detail}, at the second request: edgecore lost the answer to the first`]
  }
}

function statusIs({ status, body }: Answer, expected: number): Outcome {
  if (status === expected) return [true, `HTTP ${status}`]
  return [`HTTP ${status} instead of ${expected}: ${body.slice(0, 200).trim()}`, '']
}

function listsServices(response: Answer): Outcome {
  const [good, detail] = statusIs(response, 200)
  if (good !== true) return [good, detail]
  const { items } = JSON.parse(response.body) as { items?: { metadata: { name: string } }[] }
  const names = (items ?? []).map(({ metadata }) => metadata.name)
  if (names.includes('kubernetes')) return [true, `${names.length} services`]
  return ['the list has no Service kubernetes: nothing has come from the cloud yet', '']
}

/**
 * The token of the Pod of kubeedge/edge-check here. Of others the rights are not known, and a token that is not a Pod's
 * MetaServer does not take.
 */
async function podToken(host: Look): Promise<string | undefined> {
  const root = '/var/lib/kubelet/pods'
  for (const pod of await host.list(root)) {
    const projected = `${root}/${pod}/volumes/kubernetes.io~projected`
    for (const volume of await host.list(projected)) {
      const token = await host.readFile(`${projected}/${volume}/token`)
      if (token !== undefined && subjectOf(token) === 'system:serviceaccount:kubeedge:edge-check')
        return token
    }
  }
  return undefined
}

function subjectOf(token: string): string | undefined {
  const claims = token.split('.')[1]
  if (claims === undefined) return undefined
  return (JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { sub?: string }).sub
}
