/** The one map of commands: id (words joined by ":") -> class. A command that is not here does not exist. */

import type { Command } from '@oclif/core'
import Init from './init/index.ts'
import InitPhase from './init/phase.ts'
import LabCreate from './lab/create.ts'
import LabDelete from './lab/delete.ts'
import LabDiff from './lab/diff.ts'
import LabExec from './lab/exec.ts'
import LabKill from './lab/kill.ts'
import LabList from './lab/list.ts'
import LabStart from './lab/start.ts'
import Version from './version.ts'

export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  init: Init,
  'init:phase': InitPhase,
  'lab:create': LabCreate,
  'lab:delete': LabDelete,
  'lab:diff': LabDiff,
  'lab:exec': LabExec,
  'lab:kill': LabKill,
  'lab:list': LabList,
  'lab:start': LabStart,
  version: Version,
}
