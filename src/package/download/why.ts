/** Errors of downloads in words that name the cause on the user's side. */

import { messageOf } from '../../output/errors.ts'

/** OpenSSL's names for a certificate that is not valid today. */
const OUT_OF_DATE = /CERT_(NOT_YET_VALID|HAS_EXPIRED)/

/** @param proxy as it is shown; undefined: the server was asked directly */
export function explain(error: unknown, proxy: string | undefined): { why: string; fix?: string } {
  const { code = '', status } = error as { code?: string; status?: number }
  const why = messageOf(error)
  if (OUT_OF_DATE.test(code))
    return {
      why: `its certificate is not valid at the time that this machine has (${new Date().toISOString()}): ${why}`,
      fix: 'set the clock (`timedatectl set-ntp true`), and run the same command again',
    }
  if (proxy !== undefined && (status === 407 || /\b407\b/.test(why)))
    return {
      why: `the proxy ${proxy} asks for a password`,
      fix: 'put it into the variable: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT, and the same for HTTP_PROXY',
    }
  return { why: proxy === undefined ? why : `${why} (through the proxy ${proxy})` }
}
