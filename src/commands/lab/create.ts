import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base.ts'
import { ownExecutable } from '../fleet/flags.ts'

export default class LabCreate extends BaseCommand {
  static override summary = 'Boot machines on this host and make a cluster of them'
  static override description =
    'The machines have a network of their own without a route out. Each gets the executable as /usr/local/bin/edgeadm\nand the package under /root. Root only; installs what it needs with apt on Debian and Ubuntu.'
  static override examples = [
    '<%= config.bin %> lab create --package edgeadm-package.tar.zst',
    '<%= config.bin %> lab create three --masters 3',
    '<%= config.bin %> lab create small --minimal',
    '<%= config.bin %> lab create try --masters 1 --workers 2 --bare',
  ]
  static override args = {
    name: Args.string({ ignoreStdin: true, description: 'Name of the lab', default: 'quickstart' }),
  }
  static override flags = {
    masters: Flags.integer({ description: 'Number of masters', default: 1, min: 0 }),
    workers: Flags.integer({ description: 'Number of workers', default: 1, min: 0 }),
    edges: Flags.integer({ description: 'Number of edge nodes', default: 0, min: 0 }),
    minimal: Flags.boolean({
      description: 'One machine alone: a master that runs Pods, without the edge parts',
      exclusive: ['masters', 'workers', 'edges', 'bare'],
    }),
    bare: Flags.boolean({ description: 'Stop when the machines have booted, without init and join' }),
    package: Flags.string({
      description: 'Offline package to put into the machines (default: one is built that has what they need)',
      helpValue: 'PATH',
      aliases: ['install-pkg-path'],
    }),
    executable: Flags.string({
      description: 'Executable to put into the machines (default: this one)',
      helpValue: 'PATH',
    }),
    'silent-resolver': Flags.boolean({
      description: 'Give the machines a DNS resolver that never answers, as on many air-gapped sites',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabCreate)
    const { checkNewLab, createLab, requireRoot, runInMachine } = await import('../../lab/index.ts')
    const { checkProvisionable, provisionLab } = await import('../../lab/provision.ts')
    const { labPackage } = await import('../../lab/package.ts')
    const { machineSpecs } = await import('../../lab/names.ts')
    requireRoot()
    const executable = flags.executable ?? ownExecutable()
    const { minimal } = flags
    const counts = minimal ? { masters: 1, workers: 0, edges: 0 } : flags
    const { masters, workers, edges } = counts
    if (!flags.bare) {
      checkProvisionable({ machines: machineSpecs(counts), ...(executable !== undefined && { executable }) })
      await checkNewLab(args.name)
    }
    const named = flags.package === undefined ? {} : { package: flags.package }
    const files = {
      ...(executable !== undefined && { executable }),
      ...(flags.bare
        ? named
        : { package: await labPackage({ masters, workers, edges, minimal, ...named }, this.reporting) }),
    }
    const resolver = flags['silent-resolver'] ? 'silent' : 'none'
    const lab = await createLab(
      { name: args.name, masters, workers, edges, ...files, resolver },
      this.reporting,
    )
    const enter = `edgeadm lab exec --lab ${lab.name} ${lab.machines[0]?.name} -- bash`
    const remove = `edgeadm lab delete ${lab.name}`
    const hints = `enter a machine:    ${enter}\nremove everything:  ${remove}`
    const data = { name: lab.name, machines: lab.machines, enter, delete: remove }
    if (flags.bare)
      return this.result(`${lab.machines.map(({ name }) => name).join(', ')} booted\n${hints}`, data)
    try {
      await provisionLab(lab, this.reporting, { minimal })
    } catch (error) {
      this.reporting.emit({ type: 'warning', text: `the lab stays as it is, for a look\n${hints}` })
      throw error
    }
    const nodes = await runInMachine(lab.name, 'master-1', ['kubectl', 'get', 'nodes', '-o', 'wide'])
    this.result(`${nodes.trim()}\n\n${hints}`, data)
  }
}
