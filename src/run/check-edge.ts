/** `edgeadm check edge`: the parts of this edge node, one line each. */

import { X509Certificate } from 'node:crypto'
import { parse } from 'yaml'
import type { Look } from '../host/host.ts'
import { checkReachable } from '../kubeedge/cloudcore-client.ts'
import { type CheckResult, checkMetaServer } from '../kubeedge/metaserver.ts'
import { EDGE_CERTIFICATE, EDGECORE_CONFIG, EDGECORE_UNIT } from '../kubeedge/paths.ts'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { readOnlyHost, requireLinuxRoot } from './prerequisites.ts'

interface EdgeCoreConfig {
  readonly featureGates?: { readonly requireAuthorization?: boolean }
  readonly modules?: { readonly edgeHub?: { readonly httpServer?: string } }
}

/** @throws EdgeadmError class `preflight` if this is no edge node, `timeout` if a check failed */
export async function checkEdge(reporting: Reporting): Promise<void> {
  requireLinuxRoot('check edge', false)
  const host = readOnlyHost(reporting)
  const text = await host.readFile(EDGECORE_CONFIG)
  if (text === undefined)
    throw new EdgeadmError('preflight', `this machine is not an edge node: there is no ${EDGECORE_CONFIG}`, {
      fix: 'make it one with `edgeadm join`, or run the check on an edge node',
    })
  const config = parse(text) as EdgeCoreConfig
  const secure = config.featureGates?.requireAuthorization === true
  const { signal } = reporting
  const results = [
    await timed(`${EDGECORE_UNIT} runs`, () => unitRuns(host)),
    await timed("this node's certificate is valid", () => certificateIsValid(host)),
    await timed('CloudCore can be reached', () => cloudIsReachable(config, signal)),
    ...(await checkMetaServer({ host, signal, secure })),
  ]
  const failed = results.filter(({ result }) => result !== true)
  reporting.emit({
    type: 'result',
    text: results.map(line).join('\n'),
    data: { metaServer: secure ? 'secure' : 'plain', checks: results },
  })
  if (failed.length === 0) return
  throw new EdgeadmError('timeout', `${failed.length} of ${results.length} checks failed`, {
    fix: `look at \`journalctl -u ${EDGECORE_UNIT}\``,
  })
}

function line({ what, result, detail, ms }: CheckResult): string {
  const state = result === true ? 'ok  ' : 'FAIL'
  return `${state}  ${String(ms).padStart(5)} ms  ${what}${detail === '' ? '' : `: ${detail}`}${result === true ? '' : `: ${result}`}`
}

async function timed(what: string, check: () => Promise<string>): Promise<CheckResult> {
  const started = Date.now()
  try {
    return { what, result: true, detail: await check(), ms: Date.now() - started }
  } catch (error) {
    return { what, result: messageOf(error), detail: '', ms: Date.now() - started }
  }
}

async function unitRuns(host: Look): Promise<string> {
  if ((await host.serviceState(EDGECORE_UNIT)).active) return ''
  throw new Error(`it is not active: \`systemctl status ${EDGECORE_UNIT}\``)
}

async function certificateIsValid(host: Look): Promise<string> {
  const { validToDate } = new X509Certificate((await host.readFile(EDGE_CERTIFICATE)) ?? '')
  if (validToDate.getTime() < Date.now()) throw new Error(`it expired on ${validToDate.toISOString()}`)
  return `until ${validToDate.toISOString().slice(0, 10)}`
}

async function cloudIsReachable({ modules }: EdgeCoreConfig, signal: AbortSignal): Promise<string> {
  const { hostname } = new URL(modules?.edgeHub?.httpServer ?? '')
  const address = hostname.replace(/^\[|\]$/g, '')
  await checkReachable(address, { signal })
  return address
}
