import { readdir, readFile } from 'node:fs/promises'
import { EdgeadmError } from '../../output/errors.ts'

export interface Distribution {
  /** `bookworm`, `noble` */
  readonly codename: string
  /** sources.list(5), one-line style. */
  readonly sources: string
}

/**
 * This machine's own distribution and where it gets its packages from; third parties' entries are left out.
 * @throws EdgeadmError class `preflight` on a system without apt
 */
export async function hostDistribution(root = ''): Promise<Distribution> {
  const release = await readFile(`${root}/etc/os-release`, 'utf8').catch(() => '')
  const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1]
  const texts: { name: string; text: string }[] = []
  for (const path of [`${root}/etc/apt/sources.list`, ...(await listed(`${root}/etc/apt/sources.list.d`))]) {
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text !== undefined) texts.push({ name: path, text })
  }
  const lines = texts.flatMap(({ name, text }) =>
    name.endsWith('.sources') ? fromDeb822(text) : fromLines(text),
  )
  const own = lines.filter((line) => codename !== undefined && ownSuite(line.suite, codename))
  if (codename === undefined || own.length === 0)
    throw new EdgeadmError(
      'preflight',
      'Debian packages can only be taken on Debian or Ubuntu with apt sources of its own',
      {
        fix: 'build the package there, or take the images from their registries with --source release',
      },
    )
  return { codename, sources: [...new Set(own.map(({ text }) => text))].join('\n') }
}

interface Line {
  readonly suite: string
  readonly text: string
}

/** The release itself and its updates, but no backports and no foreign repository. */
function ownSuite(suite: string, codename: string): boolean {
  return [codename, `${codename}-updates`, `${codename}-security`, `${codename}/updates`].includes(suite)
}

function fromLines(text: string): Line[] {
  const lines: Line[] = []
  for (const line of text.split('\n')) {
    const match = /^deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+\S/.exec(line.trim())
    if (match?.[3] !== undefined) lines.push({ suite: match[3], text: line.trim() })
  }
  return lines
}

function fromDeb822(text: string): Line[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string) =>
      new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, 'im')
        .exec(stanza.replace(/^#.*\n/gm, ''))?.[1]
        ?.split(/\s+/)
        .filter((word) => word !== '') ?? []
    if (!field('Types').includes('deb') || field('Enabled')[0] === 'no') return []
    const [key] = field('Signed-By')
    const option = key?.startsWith('/') ? `[signed-by=${key}] ` : ''
    return field('URIs').flatMap((uri) =>
      field('Suites').map((suite) => ({
        suite,
        text: `deb ${option}${uri} ${suite} ${field('Components').join(' ')}`,
      })),
    )
  })
}

async function listed(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => name.endsWith('.list') || name.endsWith('.sources'))
    .sort()
    .map((name) => `${folder}/${name}`)
}
