import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect } from 'node:tls'

/** Milliseconds. */
const LIMIT = 5000

/**
 * The certificate that a server shows, whoever signed it and whenever it ends: to look at, not to trust. Nothing is sent.
 * @throws Error: nothing listens there, or no TLS is spoken
 */
export function servedCertificate(
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port,
      rejectUnauthorized: false,
      timeout: LIMIT,
      ...(isIP(address) === 0 ? { servername: address } : {}),
    })
    const end = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    const abort = (): void => end(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal.addEventListener('abort', abort, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', abort))
    socket.once('secureConnect', () => {
      // In Go's servers with TLS 1.3 this comes before they miss the client's certificate.
      const { raw } = socket.getPeerCertificate()
      socket.destroy()
      if (raw === undefined) reject(new Error(`${address}:${port} shows no certificate`))
      else resolve(new X509Certificate(raw))
    })
    socket.once('timeout', () =>
      end(new Error(`${address}:${port} does not answer within ${LIMIT / 1000} s`)),
    )
    socket.once('error', end)
  })
}
