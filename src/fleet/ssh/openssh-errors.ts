/** What OpenSSH's `ssh` says when it does not come in, as edgeadm says it. */

import { EdgeadmError } from '../../output/errors.ts'
import { Unreachable } from './errors.ts'
import type { Target } from './target.ts'

/** @param said its standard error; @param limit milliseconds that it had */
export function openSshRefusal({ label, user, host, port }: Target, said: string, limit: number): Error {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^@+$/.test(line))
  const last = lines.at(-1) ?? `no login within ${limit / 1000} s`
  const refused = (message: string, fix: string) =>
    new EdgeadmError('preflight', `${label}: ${message}`, { fix, details: lines })
  if (/REVOKED HOST KEY|is marked as revoked/i.test(said))
    return refused('its host key is revoked', 'give the machine a new host key')
  if (/HOST IDENTIFICATION HAS CHANGED|Offending .* key in/i.test(said))
    return refused(
      'its host key is another than the one that is known: it was set up anew, or somebody stands in between',
      'if the machine was set up anew, remove the old key: from ssh.hostKey, or with `ssh-keygen -R`',
    )
  if (/host key is known for|Host key verification failed/i.test(said))
    return refused(
      'nobody vouches for its host key',
      'add it to known_hosts, or as ssh.hostKey; --accept-new-host-keys believes hosts that are seen for the first time',
    )
  if (/Permission denied|Too many authentication failures|No supported authentication methods/i.test(said))
    return refused(
      `${user}@${host}:${port} refuses the login`,
      'name the right user and key under ssh, or put the public key into authorized_keys there',
    )
  if (
    /Bad configuration option|configuration error|bad configuration options|no argument after keyword|too long for Unix domain socket/i.test(
      said,
    )
  )
    return new EdgeadmError('usage', `${label}: ssh cannot work with its configuration: ${last}`, {
      details: lines,
    })
  return new Unreachable(`${label}: ${host}:${port} does not answer: ${last}`)
}
