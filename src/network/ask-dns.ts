import { Resolver } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgeadmError } from '../output/errors.ts'

/** Milliseconds for one answer, and between two attempts. */
const ATTEMPT = 2000
const INTERVAL = 200

export interface Question {
  readonly name: string
  /** IP address, or `address:port`. */
  readonly server: string
  /** Milliseconds to go on asking. */
  readonly limit: number
}

/** c-ares' codes for an answer without an address of this kind. It is an answer all the same. */
const EMPTY = 'ENODATA'

/**
 * Asks one DNS server for a name until it answers that the name exists.
 * @throws EdgeadmError class `timeout` with what came instead
 */
export async function askDns({ name, server, limit }: Question, signal: AbortSignal): Promise<void> {
  const end = Date.now() + limit
  for (;;) {
    // A resolver keeps its sockets; after a refusal a new one asks at once.
    const resolver = new Resolver({ timeout: ATTEMPT, tries: 1 })
    resolver.setServers([server])
    try {
      await resolver.resolve4(name)
      return
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      if (code === EMPTY) return
      if (Date.now() > end)
        throw new EdgeadmError('timeout', `${server} ${WORDS[code] ?? `answers ${code}`}`, { cause: error })
    }
    await delay(INTERVAL, undefined, { signal })
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ETIMEOUT: 'does not answer',
  ECONNREFUSED: 'refuses the question: nothing listens behind it',
  ENOTFOUND: 'answers that there is no such name',
  ESERVFAIL: 'answers that it failed (SERVFAIL)',
  EREFUSED: 'refuses to answer (REFUSED)',
}
