import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import got, { type Headers } from 'got'
import { EdgeadmError, messageOf } from '../../../output/errors.ts'
import type { Reporting } from '../../../output/events.ts'
import { progressSteps } from '../../progress.ts'
import { blobOf } from '../hashing.ts'
import { digestOf, MEDIA } from '../oci.ts'
import type { RegistryReference } from './registry.ts'

/** Largest manifest that is read, in bytes; the OCI distribution specification asks registries to take 4 MiB. */
const LARGEST_MANIFEST = 4 * 1024 * 1024

/** Pulls by the OCI distribution API, anonymously, with bearer tokens where the registry asks for them. */
export class RegistryClient {
  readonly #base: string
  readonly #image: RegistryReference
  readonly #mirror: boolean
  readonly #reporting: Reporting
  #authorization: string | undefined

  /** @param mirror base URL of a server that stands in for the registry; it is told which with `?ns=` as containerd does */
  constructor(image: RegistryReference, mirror: string | undefined, reporting: Reporting) {
    this.#image = image
    this.#mirror = mirror !== undefined
    this.#base = `${(mirror ?? image.origin).replace(/\/$/, '')}/v2/${image.repository}`
    this.#reporting = reporting
  }

  /** A manifest or an index by tag or digest; a digest is verified. */
  async manifest(reference: string): Promise<{ bytes: Buffer; mediaType: string; digest: string }> {
    const accept = [MEDIA.index, MEDIA.manifest, MEDIA.dockerIndex, MEDIA.dockerManifest].join(', ')
    const url = this.#url(`manifests/${reference}`)
    const response = await this.#authorized(url, async (headers) => {
      const answer = await got(url, {
        ...this.#options(headers),
        headers: { ...headers, accept },
        responseType: 'buffer',
      })
      return { statusCode: answer.statusCode, headers: answer.headers, body: Buffer.from(answer.rawBody) }
    })
    const { body } = response
    if (body.length > LARGEST_MANIFEST) throw this.#error(url, `its manifest has ${body.length} bytes`)
    const digest = digestOf(body)
    if (reference.startsWith('sha256:') && digest !== reference)
      throw this.#error(url, `its digest is ${digest}`)
    const declared = (JSON.parse(body.toString()) as { mediaType?: string }).mediaType
    const mediaType =
      declared ?? String(response.headers['content-type'] ?? MEDIA.manifest).split(';')[0] ?? ''
    return { bytes: body, mediaType, digest }
  }

  /** Downloads a blob; its size and digest are verified. */
  async blob(digest: string, size: number, path: string, task: string): Promise<void> {
    const { emit, signal } = this.#reporting
    const url = this.#url(`blobs/${digest}`)
    await this.#authorized(url, async (headers) => {
      const request = got.stream(url, { ...this.#options(headers), decompress: false })
      const response = await new Promise<{ statusCode: number; headers: Headers }>((resolve, reject) =>
        request.once('response', resolve).once('error', reject),
      )
      if (response.statusCode !== 200) {
        request.destroy()
        return { ...response, body: Buffer.alloc(0) }
      }
      const progress = progressSteps(emit, task, size, 'bytes')
      let done = 0
      request.on('data', (chunk: Buffer) => {
        done += chunk.length
        progress(done)
      })
      await pipeline(request, createWriteStream(path), { signal })
      return { ...response, body: Buffer.alloc(0) }
    })
    const actual = await blobOf(path, signal)
    if (actual.digest === digest && actual.size === size) return
    await rm(path, { force: true })
    throw this.#error(url, `it gives ${actual.size} bytes with the digest ${actual.digest}`)
  }

  #url(path: string): string {
    return `${this.#base}/${path}${this.#mirror ? `?ns=${this.#image.registry}` : ''}`
  }

  #options(headers: Record<string, string>) {
    return {
      headers,
      signal: this.#reporting.signal,
      throwHttpErrors: false,
      retry: { limit: 3 },
      timeout: { lookup: 5000, connect: 10_000, response: 30_000, socket: 30_000 },
    } as const
  }

  async #authorized<T extends { statusCode: number; headers: Headers }>(
    url: string,
    ask: (headers: Record<string, string>) => Promise<T>,
  ): Promise<T> {
    try {
      let response = await ask(this.#header())
      if (response.statusCode === 401) {
        this.#authorization = await this.#token(String(response.headers['www-authenticate'] ?? ''), url)
        response = await ask(this.#header())
      }
      if (response.statusCode === 200) return response
      throw this.#error(url, `the registry answers ${response.statusCode}`)
    } catch (error) {
      this.#reporting.signal.throwIfAborted()
      throw error instanceof EdgeadmError ? error : this.#error(url, messageOf(error))
    }
  }

  #header(): Record<string, string> {
    return this.#authorization === undefined ? {} : { authorization: this.#authorization }
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  async #token(challenge: string, url: string): Promise<string> {
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1]
    const realm = field('realm')
    if (!/^bearer /i.test(challenge) || realm === undefined)
      throw this.#error(url, 'the registry asks for a login')
    const service = field('service')
    const scope = field('scope') ?? `repository:${this.#image.repository}:pull`
    const answer = await got(realm, {
      ...this.#options({}),
      searchParams: { ...(service === undefined ? {} : { service }), scope },
    })
    if (answer.statusCode !== 200) throw this.#error(realm, `it answers ${answer.statusCode}`)
    const { token, access_token: accessToken } = JSON.parse(answer.body) as {
      token?: string
      access_token?: string
    }
    return `Bearer ${token ?? accessToken}`
  }

  #error(url: string, why: string): EdgeadmError {
    const { registry, repository } = this.#image
    return new EdgeadmError('package', `${registry}/${repository} cannot be pulled from ${url}: ${why}`, {
      fix: 'take it from elsewhere with --mirror or --archive, or build it with --source go',
    })
  }
}
