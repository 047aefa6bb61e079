import { Flags } from '@oclif/core'
import { EdgeadmError } from '../../output/errors.ts'
import type { Architecture } from '../../package/manifest.ts'
import { BaseCommand } from '../base.ts'

export default class PackageBuild extends BaseCommand {
  static override summary = 'Build an offline package'
  static override description =
    'Takes each component from its publisher if that answers, else builds it here with Go and Debian packages.\n' +
    'What was made once is kept in ~/.cache/edgeadm (XDG_CACHE_HOME). The same sources give the same bytes.'
  static override examples = [
    '<%= config.bin %> package build',
    '<%= config.bin %> package build --source go --output-dir .',
    '<%= config.bin %> package build --mirror https://mirror.example.org --sign-key key.pem',
    '<%= config.bin %> package build --manifest kubernetes-1.33 --manifest kubeedge-1.23 --manifest load-balancer --manifest edgemesh-1.16 --archive edgemesh-agent-image=edgemesh-agent.tar',
  ]
  static override flags = {
    manifest: Flags.string({
      description:
        'What goes in: a file, or the name of one that comes with edgeadm (default kubernetes-1.33, kubeedge-1.23, load-balancer and superedge-0.9)',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    arch: Flags.string({
      description: 'Architecture of the machines (default: of this one)',
      options: ['amd64', 'arm64'],
    }),
    source: Flags.string({
      description: 'Take everything published (release) or build everything here (go); default: what answers',
      options: ['release', 'go'],
    }),
    mirror: Flags.string({
      description: "Server with the publishers' paths and the registries' /v2/, instead of theirs",
      helpValue: 'URL',
    }),
    archive: Flags.string({
      description: 'Take a component from a file: an OCI archive for an image, a tar archive for programs',
      helpValue: 'COMPONENT=FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    with: Flags.string({
      description: 'Insist on an optional component',
      helpValue: 'COMPONENT',
      multiple: true,
      multipleNonGreedy: true,
    }),
    without: Flags.string({
      description: 'Leave a component out',
      helpValue: 'COMPONENT',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'output-dir': Flags.string({
      description: 'Where to put the package (default ~/.cache/edgeadm/packages)',
      helpValue: 'DIR',
    }),
    'sign-key': Flags.string({
      description: 'Sign the package with this ed25519 private key (PEM)',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PackageBuild)
    const { buildPackage } = await import('../../package/build/build.ts')
    const { DEFAULT_RECIPES } = await import('../../package/build/builtin.ts')
    const { machineArchitecture } = await import('../../package/architecture.ts')
    const { packagesDirectory } = await import('../../package/paths.ts')
    const { path, manifest } = await buildPackage({
      ...this.reporting,
      recipes: flags.manifest ?? DEFAULT_RECIPES,
      arch: (flags.arch ?? machineArchitecture()) as Architecture,
      outputDirectory: flags['output-dir'] ?? packagesDirectory(),
      ...(flags.source === undefined ? {} : { source: flags.source as 'release' | 'go' }),
      ...(flags.mirror === undefined ? {} : { mirror: checkedUrl(flags.mirror) }),
      archives: pairs(flags.archive ?? []),
      with: flags.with ?? [],
      without: flags.without ?? [],
      ...(flags['sign-key'] === undefined ? {} : { signKey: flags['sign-key'] }),
    })
    this.result(path, { path, manifest })
  }
}

function checkedUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new EdgeadmError('usage', `--mirror ${text} is not an http or https URL`)
}

function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1 || at === text.length - 1)
        throw new EdgeadmError('usage', `--archive ${text} is not of the form COMPONENT=FILE`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
