import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { CommandOptions, Output } from '../../src/host/host.ts'
import { LocalMachine } from '../../src/host/local.ts'

/** This machine with a network of its own, empty but for a loopback device: for the real nft, iptables and ip. Root only. */
export class NamespacedMachine extends LocalMachine {
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess) {
    super()
    this.#holder = holder
  }

  static async make(): Promise<NamespacedMachine> {
    const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (holder.stdout === null) throw new Error('no pipe')
    await once(holder.stdout, 'data')
    return new NamespacedMachine(holder)
  }

  async end(): Promise<void> {
    const exited = once(this.#holder, 'exit')
    this.#holder.kill('SIGKILL')
    await exited
  }

  override async execute(
    file: string,
    args: readonly string[],
    options: CommandOptions = {},
  ): Promise<Output> {
    // nsenter's own exit code for a missing program is 127, too.
    return super.execute('nsenter', [`--net=/proc/${this.#holder.pid}/ns/net`, '--', file, ...args], options)
  }

  override async readFile(path: string): Promise<Buffer | undefined> {
    return super.readFile(path.replace(/^\/proc\/net\//, `/proc/${this.#holder.pid}/net/`))
  }
}
