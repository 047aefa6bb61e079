import { readFileSync } from 'node:fs'
import { EdgeadmError } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { machineArchitecture } from '../architecture.ts'
import type { Architecture } from '../manifest.ts'
import { tool } from './command.ts'
import type { Source } from './recipe.ts'

const COMPILER_PREFIX: Readonly<Record<Architecture, string>> = {
  amd64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
}
const PREFIX_PACKAGE: Readonly<Record<Architecture, string>> = {
  amd64: 'x86-64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
}

/** The C compiler for programs that run on `arch`. */
export function compilerFor(arch: Architecture): string {
  return arch === machineArchitecture() ? 'gcc' : `${COMPILER_PREFIX[arch]}-gcc`
}

/** The Debian packages that making something from these sources needs on this machine. */
export function requiredPackages(sources: readonly Source[], arch: Architecture): string[] {
  const native = arch === machineArchitecture()
  const packages = new Set<string>()
  const compiler = () => {
    for (const name of native
      ? ['gcc', 'libc6-dev']
      : [`gcc-${PREFIX_PACKAGE[arch]}`, `libc6-dev-${arch}-cross`])
      packages.add(name)
  }
  for (const source of sources) {
    if (source.type === 'cc') compiler()
    if (source.type === 'debian') for (const name of ['mmdebstrap', 'binutils']) packages.add(name)
    if (source.type === 'go' && source.cgo === true) {
      compiler()
      packages.add('pkg-config')
      for (const library of source.libraries ?? []) packages.add(native ? library : `${library}:${arch}`)
    }
  }
  return [...packages].sort()
}

/**
 * Sees to it that the Debian packages are there: installs what is missing if it may (root on Debian or a relative).
 * @throws EdgeadmError class `preflight` that names them otherwise
 */
export async function ensurePackages(
  packages: readonly string[],
  { emit, signal }: Reporting,
): Promise<void> {
  const missing = []
  for (const name of packages) if (!(await isInstalled(name, signal))) missing.push(name)
  if (missing.length === 0) return
  const foreign = missing.filter((name) => name.includes(':'))
  if (foreign.length > 0)
    throw new EdgeadmError(
      'preflight',
      `building for another architecture here needs ${foreign.join(', ')}`,
      {
        fix: `add the architecture (dpkg --add-architecture ${foreign[0]?.split(':')[1]}; apt-get update; apt-get install ${foreign.join(' ')}), build on such a machine, or take what is published with --source release`,
      },
    )
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`
  if (process.getuid?.() !== 0 || !debianLike())
    throw new EdgeadmError('preflight', `building the package needs ${missing.join(', ')} on this machine`, {
      fix: debianLike() ? `run \`${command}\` as root` : 'install what corresponds to these Debian packages',
    })
  emit({ type: 'output', text: `Installing ${missing.join(', ')} with apt-get` })
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-o', 'DPkg::Lock::Timeout=300']
  await tool('refreshing the list of packages', 'apt-get', [...options, 'update', '-q'], { signal, env })
  await tool(
    `installing ${missing.join(', ')}`,
    'apt-get',
    [...options, 'install', '-y', '-q', '--no-install-recommends', ...missing],
    { signal, env },
  )
}

async function isInstalled(name: string, signal: AbortSignal): Promise<boolean> {
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own format
    const status = await tool(`looking for ${name}`, 'dpkg-query', ['-W', '-f=${db:Status-Status}\n', name], {
      signal,
    })
    return status.split('\n').includes('installed')
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof EdgeadmError) return false
    throw error
  }
}

function debianLike(): boolean {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}
