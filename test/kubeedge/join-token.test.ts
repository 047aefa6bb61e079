import { describe, expect, test } from 'vitest'
import { type ClusterFacts, FACTS_SCHEMA } from '../../src/kubeedge/cluster-facts.ts'
import { decodeTicket, encodeTicket } from '../../src/kubeedge/edge-ticket.ts'
import { makeJoinToken, parseJoinToken } from '../../src/kubeedge/join-token.ts'

const ca = { certificateDer: Buffer.from('certificate'), keyDer: Buffer.from('key') }
const facts: ClusterFacts = {
  schema: FACTS_SCHEMA,
  cloudAddresses: ['203.0.113.10'],
  kubeEdgeVersion: 'v1.23.1',
  kubernetesVersion: 'v1.33.13',
  serviceAccountKeys: 'PEM',
  serviceAccountIssuers: ['https://kubernetes.default.svc.cluster.local'],
  stream: true,
  components: {},
  dnsDomain: 'cluster.local',
  clusterDns: [],
  networks: ['10.244.0.0/16'],
}

describe('join token', () => {
  test('names the CA and its end, as CloudCore reads it', () => {
    const token = parseJoinToken(makeJoinToken(ca, 60_000))
    // printf certificate | sha256sum
    expect(token?.caHash).toBe('03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72')
    expect(Math.abs((token?.expires ?? 0) - Date.now() - 60_000)).toBeLessThan(2000)
  })

  test.each(['', 'abc', `${'0'.repeat(64)}.a.b.c`, `${'0'.repeat(63)}.e30.e30.e30`])('%j is none', (text) => {
    expect(parseJoinToken(text)).toBeUndefined()
  })
})

describe('edge ticket', () => {
  const ticket = { token: makeJoinToken(ca, 60_000), facts }

  test('comes out as it went in, in one word', () => {
    const text = encodeTicket(ticket)
    expect(text).toMatch(/^[\w-]+$/)
    expect(decodeTicket(text)).toEqual(ticket)
  })

  test('a damaged one is none', () => {
    const text = encodeTicket(ticket)
    expect(decodeTicket(text.slice(0, -9))).toBeUndefined()
    expect(decodeTicket('abcdef.0123456789abcdef')).toBeUndefined()
  })
})
