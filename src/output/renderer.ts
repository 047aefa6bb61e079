/** A view of a run: it is handed every event, and awaited at the end. */

import type { Event } from './events.ts'

export interface Renderer {
  handle(event: Event): void
  /** Resolves when everything has been written. */
  close(): Promise<void>
}

export interface RendererOptions {
  readonly output: 'text' | 'json'
  /** kubeadm's -v: 0 shows phases, from 1 on also every change and every line of sub-processes. */
  readonly verbosity: number
}

/** JSON lines if asked for, a live list on a terminal, plain lines elsewhere. */
export async function createRenderer(options: RendererOptions): Promise<Renderer> {
  if (options.output === 'json') return new (await import('./json.ts')).JsonRenderer(process.stdout)
  // Serial consoles and `ssh -tt` without a size report no columns; a live list would print a letter per line there.
  const live = process.stderr.isTTY && (process.stderr.columns ?? 0) > 0 && options.verbosity === 0
  if (live) return new (await import('./terminal.ts')).TerminalRenderer(process.stdout, process.stderr)
  const { PlainRenderer } = await import('./plain.ts')
  return new PlainRenderer(process.stdout, process.stderr, options.verbosity)
}
