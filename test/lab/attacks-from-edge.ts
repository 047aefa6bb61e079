/** What somebody with root on an edge node asks of the cloud side, with what lies on that machine. Answers are short texts. */

import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { EDGE_CA, EDGE_CERTIFICATE, EDGE_KEY } from '../../src/kubeedge/paths.ts'
import { MASTER } from './edge-lab.ts'
import type { TestLab } from './machines.ts'

export interface CertificateAttack {
  /** `/O=…/CN=…` */
  readonly subject: string
  /** The header NodeName. */
  readonly node: string
  readonly headers?: readonly string[]
  /** `DNS:…,IP:…` */
  readonly names?: string
  /** For `openssl req -newkey`; default: EC, P-256. */
  readonly key?: readonly string[]
  /** In place of the node's certificate. Secret. */
  readonly token?: string
  /** Folder with server.crt and server.key; default: the node's own. */
  readonly certificates?: string
}

const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
/** The hub refuses data that come before it has answered the handshake. */
const SEND = `: >/root/hub.out
{ cat /root/hub.head
timeout "$2" sh -c 'until grep -q " 101 " /root/hub.out; do sleep 0.1; done'
cat /root/hub.frame
sleep "$2"; } | socat - "$1" >/root/hub.out
cat -v /root/hub.out`
/** Seconds that a connection has to stand to count as accepted. */
const STANDS = 6

export function attacksFrom(lab: TestLab, machine: string) {
  const shell = async (script: string, words: readonly string[] = []) => {
    const { stdout, stderr } = await lab.probe(machine, ['sh', '-c', script, 'sh', ...words])
    return `${stdout} ${stderr}`.trim()
  }
  const curl = (certificates?: string) => [
    ...['curl', '-sS', '--cacert', EDGE_CA],
    ...['--cert', certificates === undefined ? EDGE_CERTIFICATE : `${certificates}/server.crt`],
    ...['--key', certificates === undefined ? EDGE_KEY : `${certificates}/server.key`],
  ]
  return {
    /** HTTP status and the answer, or status 200 and the certificate that was signed. */
    certificate: async (attack: CertificateAttack): Promise<string> => {
      const request = ['openssl', 'req', '-new', '-newkey', ...(attack.key ?? EC), '-nodes']
      const names = attack.names === undefined ? [] : ['-addext', `subjectAltName=${attack.names}`]
      const files = ['-keyout', '/root/attack.key', '-outform', 'DER', '-out', '/root/attack.csr']
      await lab.run(machine, [...request, '-subj', attack.subject, ...names, ...files])
      const headers = [`NodeName: ${attack.node}`, ...(attack.headers ?? [])]
      const bearer = attack.token === undefined ? [] : [`Authorization: Bearer ${attack.token}`]
      const client =
        attack.token === undefined ? curl(attack.certificates) : ['curl', '-sS', '--cacert', EDGE_CA]
      const status = await lab.run(machine, [
        ...[...client, '--http1.1', '-X', 'GET', '--data-binary', '@/root/attack.csr'],
        ...[...headers, ...bearer].flatMap((header) => ['-H', header]),
        ...['-o', '/root/attack.out', '-w', '%{http_code}', `https://${MASTER}:10002/edge.crt`],
      ])
      const show =
        status === '200'
          ? 'openssl x509 -inform der -in /root/attack.out -noout -subject -ext subjectAltName,extendedKeyUsage 2>/dev/null'
          : 'cat /root/attack.out'
      return `${status} ${await shell(show)}`
    },
    /** Opens a WebSocket of the hub (10000) or the tunnel (10004); "stands", or the HTTP status and how it ended. */
    webSocket: (url: string, headers: readonly string[], certificates?: string): Promise<string> => {
      const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
      const all = [...upgrade, 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', ...headers]
      const words = [...curl(certificates), '--http1.1', '--max-time', String(STANDS), '-o', '/dev/null']
      return shell('"$@"; [ $? != 28 ] || echo stands', [
        ...words,
        ...all.flatMap((header) => ['-H', header]),
        ...['-w', '%{http_code} ', url],
      ])
    },
    /** Sends one message to the hub, as edgecore of this node would, and waits a moment for an answer; what was answered. */
    message: async (node: string, operation: string, resource: string, content: object): Promise<string> => {
      const message = {
        header: { msg_id: randomUUID(), timestamp: Date.now(), sync: true },
        route: { source: 'edged', group: 'meta', operation, resource },
        content,
      }
      const head = [
        `GET /e632aba927ea4ac2b575ec1603d56f10/${node}/events HTTP/1.1`,
        ...[`Host: ${MASTER}:10000`, `node_id: ${node}`, 'project_id: e632aba927ea4ac2b575ec1603d56f10'],
        ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ]
      await lab.run(machine, ['sh', '-c', 'cat >/root/hub.head'], { input: `${head.join('\r\n')}\r\n\r\n` })
      await lab.run(machine, ['sh', '-c', 'cat >/root/hub.frame'], { input: frame(JSON.stringify(message)) })
      const peer = `OPENSSL:${MASTER}:10000,cert=${EDGE_CERTIFICATE},key=${EDGE_KEY},cafile=${EDGE_CA},verify=1`
      return shell(SEND, [peer, String(STANDS)])
    },
    /** GET with the node's certificate; the HTTP status. */
    curlOf: (url: string): Promise<string> =>
      shell('"$@"', [...curl(), '-o', '/dev/null', '-w', '%{http_code}', url]),
    /** GET of an API server with a token; the HTTP status. */
    api: async (url: string, token: string): Promise<string> => {
      const words = ['curl', '-sk', '-H', '@-', '-o', '/dev/null', '-w', '%{http_code}', url]
      return (await lab.probe(machine, words, { input: `Authorization: Bearer ${token}` })).stdout
    },
    /** POST without a certificate; the HTTP status. */
    post: (path: string, body: object): Promise<string> =>
      shell('"$@"', [
        ...['curl', '-sS', '--http1.1', '--cacert', EDGE_CA, '-H', 'Content-Type: application/json'],
        ...['-d', JSON.stringify(body), '-o', '/dev/null', '-w', '%{http_code}'],
        `https://${MASTER}:10002${path}`,
      ]),
  }
}

/** A text frame of WebSocket (RFC 6455, 5.2) from a client: masked, with zeroes. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text)
  const head = Buffer.alloc(8)
  head.writeUInt8(0x81, 0)
  head.writeUInt8(0x80 | 126, 1)
  head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** A CertificateSigningRequest for `kubectl create -f -`, with the requester's own name in the certificate. */
export async function servingRequest(lab: TestLab, name: string, node: string, names: string) {
  const words = ['openssl', 'req', '-new', '-newkey', ...EC, '-nodes', '-keyout', '/dev/null']
  const subject = ['-subj', `/O=system:nodes/CN=system:node:${node}`, '-addext', `subjectAltName=${names}`]
  const { stdout } = await lab.probe('master-1', [...words, ...subject])
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(stdout).toString('base64'),
      signerName: 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', 'server auth'],
    },
  }
}
