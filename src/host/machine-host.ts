import { dirname } from 'node:path'
import { EdgeadmError } from '../output/errors.ts'
import { claimPath, stateOf } from './claim.ts'
import type { CommandOptions, FileStat, Host, Output, RunOptions, ServiceState } from './host.ts'
import type { Change } from './ledger.ts'
import type { Machine } from './machine.ts'
import type { Recorder } from './recorder.ts'
import { isSameFile, readServiceState, readSysctl } from './state.ts'
import { ABSENT, fingerprint, LINK, RESTARTED, sizeFingerprint } from './still-ours.ts'

/**
 * The host on a machine: decides whether a change is needed at all, announces it, makes it. Recording and dry run
 * differ only in `announce` and in the machine underneath, so phases cannot tell them apart.
 */
export class MachineHost implements Host {
  readonly #machine: Machine
  readonly #recorder: Recorder

  constructor(machine: Machine, recorder: Recorder) {
    this.#machine = machine
    this.#recorder = recorder
  }

  async probe(file: string, args: readonly string[], options?: CommandOptions): Promise<Output> {
    return this.#machine.execute(file, args, options)
  }

  async run(file: string, args: readonly string[], options: RunOptions): Promise<Output> {
    const change =
      options.undo === null ? null : ({ kind: 'run', title: options.title, undo: options.undo } as const)
    await this.#recorder.announce({ change, action: 'run', target: options.title })
    return this.#perform(file, args, options, options.title)
  }

  async readFile(path: string): Promise<string | undefined> {
    return (await this.#machine.readFile(path))?.toString('utf8')
  }

  async list(path: string): Promise<string[]> {
    return this.#machine.list(path)
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return this.#machine.stat(path)
  }

  async writeFile(
    path: string,
    content: string | Uint8Array,
    options: { mode?: number; secret?: boolean; format?: 'kubeconfig' } = {},
  ): Promise<boolean> {
    const old = await this.#machine.readFile(path)
    const stat = await this.#machine.stat(path)
    const bytes = Buffer.from(content as string)
    const mode = options.mode ?? (stat?.type === 'file' ? stat.mode : 0o644)
    if (stat?.type === 'file' && old !== undefined && bytes.equals(old) && stat.mode === mode) return false
    await this.makeDirectory(dirname(path))
    await this.#recorder.announce({
      change: await this.#fileChange(path, options.format),
      action: old === undefined ? 'create' : 'write',
      target: path,
      // A file that edgeadm makes needs no copy of its contents, and a secret gets none.
      ...(options.format !== undefined || (old !== undefined && options.secret !== true)
        ? { content: bytes }
        : { leaves: { subject: path, as: fingerprint(bytes) } }),
      ...(options.secret || typeof content !== 'string'
        ? {}
        : { texts: { before: old?.toString('utf8') ?? '', after: content } }),
    })
    await this.#machine.writeFile(path, bytes, mode)
    return true
  }

  async installFile(from: string, path: string, options: { mode: number }): Promise<boolean> {
    if (await isSameFile(this.#machine, from, path, options.mode)) return false
    await this.makeDirectory(dirname(path))
    await this.#recorder.announce({
      change: await this.#fileChange(path),
      action: 'install',
      target: path,
      leaves: { subject: path, as: sizeFingerprint((await this.#machine.stat(from))?.size ?? 0) },
    })
    await this.#machine.copyFile(from, path, options.mode)
    return true
  }

  async makeDirectory(path: string, options: { mode?: number } = {}): Promise<boolean> {
    const stat = await this.#machine.stat(path)
    if (stat !== undefined) return false
    await this.makeDirectory(dirname(path))
    await this.#recorder.announce({
      change: { kind: 'directory', path },
      action: 'make directory',
      target: path,
    })
    await this.#machine.makeDirectory(path, options.mode ?? 0o755)
    return true
  }

  async remove(path: string, options: { recursive?: boolean } = {}): Promise<boolean> {
    const stat = await this.#machine.stat(path)
    if (stat === undefined) return false
    if (stat.type === 'directory') {
      if (options.recursive !== true) throw new EdgeadmError('internal', `${path} is a directory`)
      for (const name of await this.#machine.list(path)) await this.remove(`${path}/${name}`, options)
      await this.#recorder.announce({
        change: { kind: 'file', path, before: await stateOf(this.#machine, this.#recorder, path) },
        action: 'remove directory',
        target: path,
      })
      await this.#machine.removeDirectory(path)
      return true
    }
    await this.#recorder.announce({
      change: await this.#fileChange(path),
      action: 'remove',
      target: path,
      leaves: { subject: path, as: ABSENT },
    })
    await this.#machine.remove(path)
    return true
  }

  async link(path: string, target: string): Promise<boolean> {
    const stat = await this.#machine.stat(path)
    if (stat?.type === 'symlink' && (await this.#machine.readLink(path)) === target) return false
    await this.makeDirectory(dirname(path))
    await this.#recorder.announce({
      change: await this.#fileChange(path),
      action: 'link',
      target: `${path} -> ${target}`,
      leaves: { subject: path, as: LINK },
    })
    await this.#machine.symlink(path, target)
    return true
  }

  async service(unit: string, wanted: Partial<ServiceState> & { restart?: boolean }): Promise<boolean> {
    const now = await this.serviceState(unit)
    const commands: string[][] = []
    if (wanted.enabled !== undefined && wanted.enabled !== now.enabled)
      commands.push([wanted.enabled ? 'enable' : 'disable'])
    if (wanted.restart === true && now.active) commands.push(['restart'])
    else if (wanted.active !== undefined && wanted.active !== now.active)
      commands.push([wanted.active ? 'start' : 'stop'])
    if (commands.length === 0) return false
    await this.#recorder.announce({
      change: (await this.#recorder.hasRecord(unit)) ? null : { kind: 'service', unit, before: now },
      action: commands.map(([verb]) => verb).join(' and '),
      target: unit,
      ...(wanted.restart === true && now.active ? { leaves: { subject: unit, as: RESTARTED } } : {}),
    })
    await this.#perform('systemctl', ['daemon-reload'])
    for (const command of commands) await this.#perform('systemctl', [...command, unit])
    return true
  }

  async serviceState(unit: string): Promise<ServiceState> {
    return readServiceState(this.#machine, unit)
  }

  async sysctl(key: string, value: string): Promise<boolean> {
    const before = await readSysctl(this.#machine, key)
    if (before === value) return false
    if (before === undefined) throw new EdgeadmError('phase', `this kernel has no parameter ${key}`)
    await this.#recorder.announce({
      change: { kind: 'sysctl', key, before },
      action: 'set',
      target: `${key} = ${value} (was ${before})`,
      leaves: { subject: key, as: value },
    })
    await this.#perform('sysctl', ['-q', '-w', `${key}=${value}`])
    return true
  }

  async module(name: string): Promise<boolean> {
    if ((await this.#machine.stat(`/sys/module/${name}`)) !== undefined) return false
    await this.#recorder.announce({
      change: { kind: 'module', name },
      action: 'load kernel module',
      target: name,
    })
    await this.#perform('modprobe', [name])
    return true
  }

  async mount(args: {
    source: string
    target: string
    type?: string
    options?: readonly string[]
  }): Promise<boolean> {
    const mounted = await this.#machine.execute('mountpoint', ['-q', args.target])
    if (mounted.exitCode === 0) return false
    await this.#recorder.announce({
      change: { kind: 'mount', target: args.target },
      action: 'mount',
      target: args.target,
    })
    const type = args.type === undefined ? [] : ['-t', args.type]
    const options =
      args.options === undefined || args.options.length === 0 ? [] : ['-o', args.options.join(',')]
    await this.#perform('mount', [...type, ...options, args.source, args.target])
    return true
  }

  async claim(path: string, options: { emptied?: boolean; quiet?: boolean } = {}): Promise<void> {
    await claimPath(this.#machine, this.#recorder, path, options)
  }

  async claimSysctl(key: string): Promise<void> {
    const before = await readSysctl(this.#machine, key)
    // What this kernel does not have nobody can change.
    if (before === undefined) return
    await this.#recorder.announce({
      change: { kind: 'sysctl', key, before },
      action: 'claim',
      target: key,
      quiet: true,
    })
  }

  async claimService(unit: string): Promise<void> {
    if (await this.#recorder.hasRecord(unit)) return
    const before = await this.serviceState(unit)
    const change = { kind: 'service', unit, before } as const
    await this.#recorder.announce({ change, action: 'claim', target: unit, quiet: true })
  }

  async #fileChange(path: string, format?: 'kubeconfig'): Promise<Change | null> {
    if (await this.#recorder.hasRecord(path)) return null
    const before = await stateOf(this.#machine, this.#recorder, path)
    if (before.type === 'directory')
      throw new EdgeadmError('phase', `${path} is a directory, where a file is expected`)
    return { kind: 'file', path, before, ...(format === undefined ? {} : { format }) }
  }

  async #perform(
    file: string,
    args: readonly string[],
    options: CommandOptions = {},
    title?: string,
  ): Promise<Output> {
    const output = await this.#machine.perform(file, args, options)
    if ((options.okExitCodes ?? [0]).includes(output.exitCode)) return output
    const said = [...output.stdout.split('\n'), ...output.stderr.split('\n')].filter(
      (line) => line.trim() !== '',
    )
    // A script says nothing to its reader; its title does.
    const command = file === 'sh' ? file : [file, ...args].join(' ')
    const what = title === undefined ? '' : `${title}: `
    throw new EdgeadmError('phase', `${what}\`${command}\` ended with exit code ${output.exitCode}`, {
      details: said.slice(-20),
    })
  }
}
