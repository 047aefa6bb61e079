import { apiGet } from '../kubernetes/api-request.ts'
import { messageOf } from '../output/errors.ts'
import { awaitCondition } from './await.ts'

export interface ReadyQuestion {
  /** What is awaited, for the error. */
  readonly what: string
  /** `host:port` of an API server, or of what leads to one. */
  readonly endpoint: string
  /** The cluster's CA. */
  readonly caPem: string | undefined
  /** Milliseconds. */
  readonly limit: number
}

/** Asks `/readyz` until the answer is 200. @throws EdgeadmError class `timeout`, with the last answer */
export function awaitReadyApi(
  { what, endpoint, caPem, limit }: ReadyQuestion,
  signal: AbortSignal,
): Promise<void> {
  return awaitCondition(what, limit, signal, async () => {
    try {
      const { status, body } = await apiGet({
        url: `https://${endpoint}/readyz`,
        caPem,
        signal,
        timeout: 3000,
      })
      return status === 200 || `HTTP ${status}: ${body.slice(0, 200)}`
    } catch (error) {
      if (signal.aborted) throw error
      return messageOf(error)
    }
  })
}
