/** The one map of commands: id (words joined by ":") -> class. A command that is not here does not exist. */

import type { Command } from '@oclif/core'
import Init from './init/index.ts'
import InitPhase from './init/phase.ts'
import Version from './version.ts'

export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  init: Init,
  'init:phase': InitPhase,
  version: Version,
}
