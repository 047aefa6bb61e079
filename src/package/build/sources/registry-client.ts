import { rename, rm } from 'node:fs/promises'
import type { Headers } from 'got'
import { EdgeadmError, messageOf } from '../../../output/errors.ts'
import type { Reporting } from '../../../output/events.ts'
import { agentsOf, atAny } from '../../download/any.ts'
import type { RegistryServer, Servers } from '../../download/servers.ts'
import { trustSystemAuthorities } from '../../download/trust.ts'
import { explain } from '../../download/why.ts'
import { fetchPackage, RefusedError } from '../../fetch.ts'
import { blobOf } from '../hashing.ts'
import { digestOf, MEDIA } from '../oci.ts'
import { hexOf } from '../record.ts'
import type { RegistryReference } from './registry.ts'

/** Largest manifest that is read, in bytes; the OCI distribution specification asks registries to take 4 MiB. */
const LARGEST_MANIFEST = 4 * 1024 * 1024

export interface Document {
  readonly bytes: Buffer
  readonly mediaType: string
  readonly digest: string
}

/**
 * Pulls one image by the OCI distribution API from the first of its servers that has what is asked for, with bearer tokens
 * or a login where a server wants them.
 */
export class RegistryClient {
  readonly #image: RegistryReference
  readonly #servers: Servers
  readonly #reporting: Reporting
  /** By server. Secret. */
  readonly #authorization = new Map<string, string>()

  constructor(image: RegistryReference, servers: Servers, reporting: Reporting) {
    this.#image = image
    this.#servers = servers
    this.#reporting = reporting
  }

  /** A manifest or an index by tag or digest; a digest is verified. */
  async manifest(reference: string): Promise<Document> {
    return this.#atAny(reference, (server) => this.#manifest(server, reference))
  }

  /**
   * Downloads a blob; its size and digest are verified.
   * @param path where it is put
   * @param kept where it is downloaded to, so that the next attempt goes on with what is there
   */
  async blob(digest: string, size: number, path: string, kept: string, task: string): Promise<void> {
    await this.#atAny(digest, async (server, isLast) => {
      const url = this.#url(server, `blobs/${digest}`)
      await this.#authorized(server, url, async (headers) => {
        try {
          await fetchPackage(url, kept, {
            ...this.#reporting,
            task,
            headers,
            sha256: hexOf(digest),
            ...(isLast ? {} : { retries: 1 }),
            ...(await agentsOf(this.#servers, url)),
          })
        } catch (error) {
          const refused = (error as Error).cause
          if (!(refused instanceof RefusedError)) throw error
          return { statusCode: refused.status, headers: { 'www-authenticate': refused.challenge } }
        }
        return { statusCode: 200, headers: {} }
      })
      const actual = await blobOf(kept, this.#reporting.signal)
      if (actual.size !== size) throw this.#error(url, `it gives ${actual.size} bytes instead of ${size}`)
    })
    await rename(kept, path)
    await rm(`${kept}.id`, { force: true })
  }

  async #atAny<T>(
    what: string,
    attempt: (server: RegistryServer, isLast: boolean) => Promise<T>,
  ): Promise<T> {
    const servers = this.#servers.registry(this.#image)
    const { registry, repository } = this.#image
    const name = `${registry}/${repository} (${what})`
    return atAny(name, servers, ({ base }) => base, this.#servers, this.#reporting, attempt)
  }

  async #manifest(server: RegistryServer, reference: string): Promise<Document> {
    const { default: got } = await import('got')
    trustSystemAuthorities()
    const accept = [MEDIA.index, MEDIA.manifest, MEDIA.dockerIndex, MEDIA.dockerManifest].join(', ')
    const url = this.#url(server, `manifests/${reference}`)
    const response = await this.#authorized(server, url, async (headers) => {
      const options = { ...(await this.#options(url)), headers: { ...headers, accept } }
      const answer = await got(url, { ...options, responseType: 'buffer' })
      return { statusCode: answer.statusCode, headers: answer.headers, body: Buffer.from(answer.rawBody) }
    })
    const { body } = response
    if (body.length > LARGEST_MANIFEST) throw this.#error(url, `its manifest has ${body.length} bytes`)
    const digest = digestOf(body)
    if (reference.startsWith('sha256:') && digest !== reference)
      throw this.#error(url, `its digest is ${digest}`)
    let parsed: { mediaType?: string } | undefined
    try {
      parsed = JSON.parse(body.toString()) as { mediaType?: string }
    } catch {
      throw this.#error(url, 'it answers something else than a manifest')
    }
    const mediaType =
      parsed.mediaType ?? String(response.headers['content-type'] ?? MEDIA.manifest).split(';')[0] ?? ''
    return { bytes: body, mediaType, digest }
  }

  #url({ base, mirror }: RegistryServer, path: string): string {
    const { repository, registry } = this.#image
    return `${base}/v2/${repository}/${path}${mirror ? `?ns=${registry}` : ''}`
  }

  async #options(url: string) {
    const { agents } = await agentsOf(this.#servers, url)
    return {
      signal: this.#reporting.signal,
      throwHttpErrors: false,
      retry: { limit: 1 },
      timeout: { lookup: 5000, connect: 10_000, response: 30_000, socket: 30_000 },
      ...(agents === undefined ? {} : { agent: agents }),
    } as const
  }

  async #authorized<T extends { statusCode: number; headers: Headers }>(
    server: RegistryServer,
    url: string,
    ask: (headers: Record<string, string>) => Promise<T>,
  ): Promise<T> {
    try {
      let response = await ask(this.#header(server))
      if (response.statusCode === 401) {
        const challenge = String(response.headers['www-authenticate'] ?? '')
        this.#authorization.set(server.base, await this.#answerTo(challenge, url))
        response = await ask(this.#header(server))
      }
      if (response.statusCode === 200) return response
      const why =
        response.statusCode === 401 || response.statusCode === 403
          ? this.#wantsLogin(url)
          : `the registry answers ${response.statusCode}`
      throw this.#error(url, why)
    } catch (error) {
      this.#reporting.signal.throwIfAborted()
      if (error instanceof EdgeadmError) throw error
      if ((error as NodeJS.ErrnoException).syscall === 'write') throw error
      const proxy = (await agentsOf(this.#servers, url)).proxy
      throw this.#error(url, explain(error, proxy).why, explain(error, proxy).fix)
    }
  }

  #header({ base }: RegistryServer): Record<string, string> {
    const authorization = this.#authorization.get(base)
    return authorization === undefined ? {} : { authorization }
  }

  /** The login for the server that is asked, never another's. */
  #login(url: string): string | undefined {
    const host = new URL(url).host
    const login = this.#servers.credentials?.(host)
    if (login === undefined) return undefined
    return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
  }

  #wantsLogin(url: string): string {
    const host = new URL(url).host
    return this.#login(url) === undefined
      ? `${host} wants a login: name a file that holds one with --registry-auth-file`
      : `${host} refuses the login in --registry-auth-file`
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  async #answerTo(challenge: string, url: string): Promise<string> {
    const login = this.#login(url)
    if (/^basic /i.test(challenge)) {
      if (login === undefined) throw this.#error(url, this.#wantsLogin(url))
      return login
    }
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1]
    const realm = field('realm')
    if (!/^bearer /i.test(challenge) || realm === undefined || !URL.canParse(realm))
      throw this.#error(url, this.#wantsLogin(url))
    // A server that is asked over https must not have the login sent in the clear.
    if (login !== undefined && url.startsWith('https:') && !realm.startsWith('https:'))
      throw this.#error(url, `it wants the login to be sent to ${new URL(realm).host} without encryption`)
    const service = field('service')
    const scope = field('scope') ?? `repository:${this.#image.repository}:pull`
    const { default: got } = await import('got')
    const answer = await got(realm, {
      ...(await this.#options(realm)),
      headers: login === undefined ? {} : { authorization: login },
      searchParams: { ...(service === undefined ? {} : { service }), scope },
    })
    if (answer.statusCode === 401 || answer.statusCode === 403) throw this.#error(url, this.#wantsLogin(url))
    if (answer.statusCode !== 200) throw this.#error(realm, `it answers ${answer.statusCode}`)
    try {
      const { token, access_token: accessToken } = JSON.parse(answer.body) as {
        token?: string
        access_token?: string
      }
      return `Bearer ${token ?? accessToken}`
    } catch (error) {
      throw this.#error(realm, `it gives no token: ${messageOf(error)}`)
    }
  }

  #error(url: string, why: string, fix?: string): EdgeadmError {
    const { registry, repository } = this.#image
    return new EdgeadmError('package', `${registry}/${repository} cannot be pulled from ${url}: ${why}`, {
      fix: fix ?? 'take it from elsewhere with --mirror or --archive, or build it with --source go',
    })
  }
}
