/** Which host gets the executable and the package from where: from here, or from another host of its site. */

import pLimit from 'p-limit'
import { EdgeadmError } from '../output/errors.ts'
import { fetchFile, type LocalFile, sendFile } from './distribute.ts'
import type { HostWork } from './host-work.ts'
import { EXECUTABLE, FLEET_DIRECTORY, OWNS_EXECUTABLE, packagePath } from './paths.ts'
import type { KnownHost } from './plan.ts'
import type { Ticket } from './relay/relay.ts'
import { Site } from './relay/site.ts'

interface HostFile {
  readonly file: LocalFile
  /** On the host. */
  readonly path: string
  readonly mode: string
  readonly isThere: boolean
}

export class Distribution {
  readonly #work: HostWork
  readonly #uploads: ReturnType<typeof pLimit>
  readonly #sites = new Map<string, Site>()
  #sent = 0
  #relayed = 0

  constructor(work: HostWork) {
    this.#work = work
    this.#uploads = pLimit(work.inventory.rollout.uploads)
  }

  /** Bytes that left this machine, and those that hosts of a site gave each other. */
  get bytes(): { readonly sent: number; readonly relayed: number } {
    return { sent: this.#sent, relayed: this.#relayed }
  }

  /** Sees to it that the host has the executable and, if one is given, the package. */
  async deliver(
    known: KnownHost,
    executable: LocalFile | undefined,
    packageFile: LocalFile | undefined,
  ): Promise<void> {
    const files: HostFile[] = []
    if (executable !== undefined) files.push(await this.#executable(known, executable))
    else if (known.facts.executable === undefined)
      throw new EdgeadmError('usage', `${known.host.name} has no edgeadm, and there is none to send`, {
        fix: 'name one with spec.executable (npm run build makes it)',
      })
    if (packageFile !== undefined) {
      const path = packagePath(packageFile.sha256, packageFile.path)
      const isThere = known.facts.packages.some((name) => path.endsWith(`/${name}`))
      files.push({ file: packageFile, path, mode: '600', isThere })
    }
    const missing = files.filter(({ isThere }) => !isThere)
    const push = async () => {
      for (const one of missing) await this.#push(known, one)
    }
    const site = this.#siteOf(known)
    if (site === undefined) return push()
    await site.deliver({
      known,
      wanted: files.map(({ path }) => path),
      missing: missing.map(({ path }) => path),
      push,
      fetch: (path, ticket) => {
        const one = missing.find((file) => file.path === path)
        return one === undefined ? Promise.resolve(true) : this.#fetch(known, one, ticket)
      },
    })
  }

  /** Ends what serves on hosts. */
  async close(): Promise<void> {
    await Promise.all([...this.#sites.values()].map((site) => site.close()))
  }

  #siteOf({ host }: KnownHost): Site | undefined {
    const { session, signal, report } = this.#work
    if (host.site === undefined || host.distribution === 'push') return undefined
    const site =
      this.#sites.get(host.site) ?? new Site({ session, signal, warn: (text) => report.warn(text) })
    this.#sites.set(host.site, site)
    return site
  }

  async #executable(known: KnownHost, file: LocalFile): Promise<HostFile> {
    const { host, facts } = known
    if (facts.executable === undefined) {
      // First: a run that is cut short here is still known to have brought it.
      const connection = await this.#work.session.connection(host)
      await connection.check(
        `${host.name}: ${FLEET_DIRECTORY} cannot be made`,
        connection.runAsRoot('umask 077; mkdir -p "$(dirname "$1")" && : > "$1"', [OWNS_EXECUTABLE]),
      )
    }
    return { file, path: EXECUTABLE, mode: '755', isThere: facts.executable === file.sha256 }
  }

  #push({ host }: KnownHost, { file, path, mode }: HostFile): Promise<void> {
    const { session, signal } = this.#work
    const reconnect = () => session.connection(host)
    const count = (bytes: number) => {
      this.#sent += bytes
    }
    return this.#uploads(async () =>
      sendFile(await reconnect(), { reconnect, label: host.name, file, target: path, mode, count, signal }),
    )
  }

  async #fetch({ host }: KnownHost, { file, path, mode }: HostFile, ticket: Ticket): Promise<boolean> {
    const { session, signal, report } = this.#work
    const reconnect = () => session.connection(host)
    const target = { reconnect, label: host.name, file, target: path, mode, signal }
    const why = await fetchFile(await reconnect(), { ...target, count: () => {} }, ticket)
    if (why === undefined) {
      this.#relayed += file.size
      return true
    }
    report.say(`${host.name}: its site does not give it ${path} (${why}), so it is sent from here`)
    return false
  }
}
