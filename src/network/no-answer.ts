/** What a person reads when a server gives no answer: one mapper for every server that edgeadm asks. */

import { EdgeadmError } from '../output/errors.ts'
import { NoAnswer } from './request.ts'

export interface Server {
  /** As a sentence begins with it: "The master". */
  readonly name: string
  /** What it is: "API server". */
  readonly program: string
  /** The same inside of a sentence: "the API server", but "CloudCore". */
  readonly definite: string
  /** `host:port` */
  readonly where: string
  /** How to have an address named in its certificate. */
  readonly addName: string
  /** How its certificate's dates are shown. */
  readonly showDates: string
  /** Its usual port, and what else to look at when something else answers. */
  readonly port: string
}

const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
])

/** The error of class `discovery` for what {@link ask} threw. Anything but a {@link NoAnswer} is thrown on as it is. */
export function explain(cause: unknown, server: Server): EdgeadmError {
  if (!(cause instanceof NoAnswer)) throw cause
  const [text, fix] = sentences(cause, server)
  return new EdgeadmError('discovery', text, { fix, cause })
}

function sentences({ code, message }: NoAnswer, server: Server): [text: string, fix: string] {
  const { name, program, definite, where } = server
  if (code === 'ETIMEDOUT')
    return [
      `${name} ${where} did not answer${message.replace(/^no answer/, '')}`,
      'Check the address and that no firewall drops the port on the way.',
    ]
  if (code === 'ECONNREFUSED')
    return [
      `${name} ${where} refused the connection: no ${program} listens there`,
      `Check the port, and on the master that ${definite} runs.`,
    ]
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return [
      `There is no route to ${lower(name)} ${where}`,
      "Check the address and this machine's routes (ip route).",
    ]
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return [
      `The name of ${lower(name)} ${where} cannot be resolved`,
      'Give its IP address, or enter the name in /etc/hosts.',
    ]
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return [
      `The certificate of ${definite} at ${where} is not for this address: ${message}`,
      `Join with an address that it names, or add this one on the master: ${server.addName}`,
    ]
  if (code === 'CERT_NOT_YET_VALID')
    return [
      `The certificate of ${definite} at ${where} is not valid yet: this machine's clock is behind`,
      'Set the clock, e.g. with chrony or timedatectl set-ntp true.',
    ]
  if (code === 'CERT_HAS_EXPIRED')
    return [
      `The certificate of ${definite} at ${where} has expired, or this machine's clock is ahead`,
      `Compare the clocks; on the master ${server.showDates} shows the dates.`,
    ]
  if (UNTRUSTED.has(code))
    return [
      `${capital(definite)} at ${where} has a certificate that the cluster's CA did not sign: something else answers there (${code})`,
      'Check the address, and that no proxy or balancer ends TLS on the way.',
    ]
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return [`What answers at ${where} does not speak TLS`, `Check the port; ${server.port}.`]
  return [
    `${name} ${where} cannot be asked: ${message}`,
    'Check the address and that the control plane runs.',
  ]
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** Inside of a sentence: "the master", but "CloudCore". */
const lower = (name: string) => name.replace(/^The /, 'the ')
