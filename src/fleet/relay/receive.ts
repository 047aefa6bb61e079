/** On a host that has no curl: what another host of the site gives. */

import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { ask, NoAnswer } from '../../network/request.ts'
import { EdgeadmError } from '../../output/errors.ts'

export interface Receive {
  readonly url: string
  /** PEM of the one CA that is trusted. */
  readonly caPem: string
  /** Secret. */
  readonly token: string
  /** Bytes that are here already. */
  readonly offset: number
  readonly signal: AbortSignal
}

/** Milliseconds until the first byte. */
const TIMEOUT = 5000

/** Writes the rest of the file. @throws EdgeadmError class `package` */
export async function receive({ url, caPem, token, offset, signal }: Receive, out: Writable): Promise<void> {
  const failed = (why: string) => new EdgeadmError('package', `${url} does not give the file: ${why}`)
  try {
    const { status } = await ask({
      url,
      caPem,
      bearerToken: token,
      signal,
      timeout: TIMEOUT,
      ...(offset === 0 ? {} : { headers: { range: `bytes=${offset}-` } }),
      onChunk: async (chunk) => {
        if (!out.write(chunk)) await once(out, 'drain')
      },
    })
    if (status !== (offset === 0 ? 200 : 206)) throw failed(`it answers ${status}`)
  } catch (error) {
    throw error instanceof NoAnswer ? failed(error.message) : error
  }
}
