/** Turns oclif's parse errors into edgeadm's one error type, in kubeadm's words and with the nearest flag's name. */

import { type Command, Errors } from '@oclif/core'
import { EdgeadmError, messageOf } from '../output/errors.ts'
import { nearest } from '../output/nearest.ts'

export function asEdgeadmError(thrown: unknown, command: Command.Class): EdgeadmError {
  if (thrown instanceof EdgeadmError) return thrown
  if (isPromptExit(thrown)) return new EdgeadmError('interrupted', 'interrupted by Ctrl-C')
  if (!(thrown instanceof Errors.CLIError)) {
    return new EdgeadmError('internal', `unexpected: ${messageOf(thrown)}`, {
      fix: 'this is a defect of edgeadm: run again with EDGEADM_DEBUG=1 and report what it prints',
      cause: thrown,
    })
  }
  const help = `see \`edgeadm ${(command.id ?? '').replaceAll(':', ' ')} --help\``
  const unknown = unknownFlags(thrown)
  if (unknown.length > 0) {
    const names = Object.keys({ ...command.baseFlags, ...command.flags }).map((name) => `--${name}`)
    const flag = unknown[0] ?? ''
    const meant = nearest(flag.split('=')[0] ?? flag, names)
    return new EdgeadmError('usage', `unknown flag: ${flag}`, {
      fix: meant === undefined ? help : `did you mean ${meant}? ${help}`,
      cause: thrown,
    })
  }
  const message = thrown.message
    .replace(/^The following errors? occurred:\n\s*/, '')
    .replace(/\nSee more help with --help$/, '')
    .replaceAll(/:\n\s*/g, ': ')
    .replaceAll(/\n\s*/g, '; ')
  return new EdgeadmError('usage', message, { fix: help, cause: thrown })
}

function unknownFlags(error: Error): readonly string[] {
  const flags = (error as { flags?: unknown }).flags
  return error.constructor.name === 'NonExistentFlagsError' && Array.isArray(flags) ? (flags as string[]) : []
}

function isPromptExit(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'ExitPromptError' || thrown.name === 'AbortPromptError')
}
