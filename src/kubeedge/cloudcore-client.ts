/** CloudCore as an edge node meets it before it is one. Source of the routes: KubeEdge, cloud/pkg/cloudhub/servers/httpserver. */

import { X509Certificate } from 'node:crypto'
import { connect } from 'node:net'
import { checkClock } from '../kubernetes/discovery.ts'
import { explain, type Server } from '../network/no-answer.ts'
import { type Answer, ask as askServer, type Question } from '../network/request.ts'
import { EdgeadmError } from '../output/errors.ts'
import { PORTS } from './cluster-facts.ts'
import { caHashOf, type JoinToken } from './join-token.ts'

export interface CloudCore {
  /** A name or an IP address. */
  readonly address: string
  /** PEM; what the server is verified against. */
  readonly caPem: string
}

type Options = Pick<Question, 'signal'>

/**
 * CloudCore's CA, fetched unverified and then compared with the hash in the token; afterwards the same over verified TLS,
 * which proves that its certificate is for this address.
 * @throws EdgeadmError class `discovery`
 */
export async function findCloudCore(address: string, token: JoinToken, options: Options): Promise<CloudCore> {
  const url = `${baseUrl(address)}/ca.crt`
  const { status, bytes } = await ask(address, { url, caPem: undefined, ...options })
  if (status !== 200)
    throw new EdgeadmError('discovery', `What answers at ${where(address)} is not CloudCore (HTTP ${status})`)
  if (caHashOf(bytes) !== token.caHash)
    throw new EdgeadmError(
      'discovery',
      `The CloudCore at ${where(address)} has another CA than the cluster says: something else answers there`,
      { fix: 'check the address (--cloud-address), and that no proxy ends TLS on the way' },
    )
  const caPem = new X509Certificate(bytes).toString()
  await ask(address, { url, caPem, ...options })
  return { address, caPem }
}

/**
 * Has a certificate request signed.
 * @param requestDer PKCS #10
 * @returns PEM
 * @throws EdgeadmError class `discovery`: refused, expired
 */
export async function requestCertificate(
  cloud: CloudCore,
  node: string,
  requestDer: Uint8Array,
  token: JoinToken,
  options: Options,
): Promise<string> {
  const { status, bytes } = await ask(cloud.address, {
    ...options,
    url: `${baseUrl(cloud.address)}/edge.crt`,
    caPem: cloud.caPem,
    body: requestDer,
    headers: { NodeName: node },
    bearerToken: token.bearer,
  })
  if (status === 200) return new X509Certificate(bytes).toString()
  const reason =
    token.expires < Date.now() ? `it expired at ${new Date(token.expires).toISOString()}` : `HTTP ${status}`
  throw new EdgeadmError(
    'discovery',
    `CloudCore at ${where(cloud.address)} does not take the token: ${reason}`,
    {
      fix: 'edgeadm token create --print-join-command on a master prints a new join line',
    },
  )
}

/** Whether the cluster has a node of this name, as CloudCore knows it. */
export async function nodeExists(cloud: CloudCore, node: string, options: Options): Promise<boolean> {
  const url = `${baseUrl(cloud.address)}/node/${encodeURIComponent(node)}`
  const { status } = await ask(cloud.address, { ...options, url, caPem: cloud.caPem })
  if (status === 200 || status === 404) return status === 200
  throw new EdgeadmError(
    'discovery',
    `CloudCore at ${where(cloud.address)} cannot say whether there is a node ${node} (HTTP ${status})`,
    { fix: 'look at its log: kubectl -n kubeedge logs -l kubeedge=cloudcore' },
  )
}

/** @throws EdgeadmError class `discovery` that names the ports that cannot be reached */
export async function checkReachable(address: string, { signal }: Options): Promise<void> {
  const ports = Object.values(PORTS)
  const problems = await Promise.all(ports.map((port) => tryPort(address, port, signal)))
  const closed = ports.flatMap((port, index) => {
    const problem = problems[index]
    return problem === undefined ? [] : [{ port, problem }]
  })
  if (closed.length === 0) return
  throw new EdgeadmError(
    'discovery',
    `CloudCore cannot be reached at ${address}: ${closed.map(({ port, problem }) => `port ${port} ${problem}`).join(', ')}`,
    {
      fix: `open ${ports.join(', ')}/tcp from this machine to the masters; on a master \`kubectl -n kubeedge get pods\` shows whether CloudCore runs`,
    },
  )
}

function tryPort(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal, timeout: 5000 })
    const end = (problem?: string) => {
      socket.destroy()
      resolve(problem)
    }
    socket.on('connect', () => end())
    socket.on('timeout', () => end('does not answer'))
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) => end(WORDS[code ?? ''] ?? message))
  })
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection',
  EHOSTUNREACH: 'has no route to it',
  ENETUNREACH: 'has no route to it',
  ENOTFOUND: 'has a name that cannot be resolved',
  EAI_AGAIN: 'has a name that cannot be resolved',
}

const CLOUDCORE: Omit<Server, 'where' | 'addName'> = {
  name: 'CloudCore',
  program: 'CloudCore',
  definite: 'CloudCore',
  showDates: 'edgeadm status',
  port: `CloudCore listens on ${PORTS.https}`,
}

async function ask(address: string, question: Question): Promise<Answer> {
  let answer: Answer
  try {
    answer = await askServer(question)
  } catch (error) {
    if (question.signal.aborted) throw error
    const addName = `edgeadm init phase edge/certificates --cloud-address ${address}`
    throw explain(error, { ...CLOUDCORE, addName, where: where(address) })
  }
  checkClock(answer, where(address))
  return answer
}

const baseUrl = (address: string) => `https://${where(address)}`
const where = (address: string) => `${address.includes(':') ? `[${address}]` : address}:${PORTS.https}`
