import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import type { Emit } from '../output/events.ts'
import type { Host } from './host.ts'
import type { Machine } from './machine.ts'
import { MachineHost } from './machine-host.ts'
import { OverlayMachine } from './overlay.ts'

/**
 * The hosts of a dry run, one per phase on one shared overlay: reads are real, changes stay in memory and are told with
 * their diffs. Later phases see what earlier ones would have written.
 */
export function dryRunHosts(machine: Machine, emit: Emit): (phase: string) => Host {
  const overlay = new OverlayMachine(machine)
  return (phase) =>
    new MachineHost(overlay, {
      announce: async ({ action, target, texts, quiet }) => {
        if (quiet === true) return
        const diff =
          texts &&
          createTwoFilesPatch(
            texts.before === '' ? '/dev/null' : target,
            target,
            texts.before,
            texts.after,
            undefined,
            undefined,
            { headerOptions: FILE_HEADERS_ONLY },
          )
        emit({ type: 'change', phase, action, target, ...(diff === undefined ? {} : { diff }) })
      },
      keep: async () => '',
      hasRecord: async () => false,
    })
}
