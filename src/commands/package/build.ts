import { Flags } from '@oclif/core'
import { EdgeadmError } from '../../output/errors.ts'
import type { Architecture } from '../../package/manifest.ts'
import type { PackageRole } from '../../package/roles.ts'
import { BaseCommand } from '../base.ts'

export default class PackageBuild extends BaseCommand {
  static override summary = 'Build an offline package'
  static override description =
    'Takes each component from its publisher if that answers, else builds it here with Go and Debian packages.\n' +
    'What was made once is kept in ~/.cache/edgeadm (XDG_CACHE_HOME). The same sources give the same bytes.'
  static override examples = [
    '<%= config.bin %> package build',
    '<%= config.bin %> package build --source go --output-dir .',
    '<%= config.bin %> package build --kubernetes-version 1.34',
    '<%= config.bin %> package build --for edge',
    '<%= config.bin %> package build --base edgeadm-0.1.0-kube-v1.33.13-linux-amd64.tar.zst',
    '<%= config.bin %> package build --mirror https://mirror.example.org --sign-key key.pem',
    '<%= config.bin %> package build --with load-balancer --with edgemesh --archive edgemesh-agent-image=edgemesh-agent.tar',
  ]
  static override flags = {
    manifest: Flags.string({
      description:
        'What goes in: a file, or the name of one that comes with edgeadm (default kubernetes-1.33 and kubeedge-1.23)',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'kubernetes-version': Flags.string({
      description:
        'Kubernetes for the package: 1.33 (default) to 1.37; only the default is run by tests so far',
      helpValue: '1.34',
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
      description:
        'Add a group (load-balancer: haproxy and keepalived for several masters; superedge: lite-apiserver; edgemesh), or insist on an optional component',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    without: Flags.string({
      description: 'Leave out a group (kubeedge) or a component',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'output-dir': Flags.string({
      description: 'Where to put the package (default ~/.cache/edgeadm/packages)',
      helpValue: 'DIR',
    }),
    for: Flags.string({
      description: 'Only what such a machine needs (default: what every machine needs)',
      options: ['master', 'worker', 'edge'],
    }),
    base: Flags.string({
      description:
        'Leave out what this package has: an update, which `package merge` makes whole on the site',
      helpValue: 'PACKAGE',
    }),
    'sign-key': Flags.string({
      description: 'Sign the package with this ed25519 private key (PEM)',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PackageBuild)
    const { buildPackage } = await import('../../package/build/build.ts')
    const { chooseGroups } = await import('../../package/build/groups.ts')
    const { machineArchitecture } = await import('../../package/architecture.ts')
    const { packagesDirectory } = await import('../../package/paths.ts')
    const { checkBuild } = await import('../../run/check-build.ts')
    const groups = chooseGroups({
      manifest: flags.manifest,
      kubernetesVersion: flags['kubernetes-version'],
      with: flags.with ?? [],
      without: flags.without ?? [],
    })
    await checkBuild(groups.recipes, this.reporting)
    const { path, manifest } = await buildPackage({
      ...this.reporting,
      ...groups,
      arch: (flags.arch ?? machineArchitecture()) as Architecture,
      outputDirectory: flags['output-dir'] ?? packagesDirectory(),
      ...(flags.source === undefined ? {} : { source: flags.source as 'release' | 'go' }),
      ...(flags.mirror === undefined ? {} : { mirror: checkedUrl(flags.mirror) }),
      archives: pairs(flags.archive ?? []),
      ...(flags.for === undefined ? {} : { role: flags.for as PackageRole }),
      ...(flags.base === undefined ? {} : { base: flags.base }),
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
