/**
 * What a join line for CloudCore's ports alone carries, since such a machine cannot ask the API server: KubeEdge's token
 * and the facts about the cluster, deflated and in base64url. It is as secret as the token in it, and lives as long.
 */

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type ClusterFacts, parseClusterFacts } from './cluster-facts.ts'
import { parseJoinToken } from './join-token.ts'

export interface EdgeTicket {
  /** KubeEdge's join token. Secret. */
  readonly token: string
  readonly facts: ClusterFacts
}

export function encodeTicket({ token, facts }: EdgeTicket): string {
  return deflateRawSync(JSON.stringify([token, JSON.stringify(facts)]), { level: 9 }).toString('base64url')
}

/** @returns undefined if the text is no ticket */
export function decodeTicket(text: string): EdgeTicket | undefined {
  try {
    const bytes = inflateRawSync(Buffer.from(text, 'base64url'), { maxOutputLength: 65_536 })
    const [token, factsText] = JSON.parse(bytes.toString('utf8')) as [string, string]
    const facts = parseClusterFacts(factsText)
    return facts === undefined || parseJoinToken(token) === undefined ? undefined : { token, facts }
  } catch {
    return undefined
  }
}
