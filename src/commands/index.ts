/** The one map of commands: id (words joined by ":") -> class. A command that is not here does not exist. */

import type { Command } from '@oclif/core'
import CheckEdge from './check/edge.ts'
import Completion from './completion.ts'
import Init from './init/index.ts'
import InitPhase from './init/phase.ts'
import Join from './join/index.ts'
import JoinPhase from './join/phase.ts'
import LabCreate from './lab/create.ts'
import LabDelete from './lab/delete.ts'
import LabDiff from './lab/diff.ts'
import LabExec from './lab/exec.ts'
import LabKill from './lab/kill.ts'
import LabList from './lab/list.ts'
import LabStart from './lab/start.ts'
import PackageBuild from './package/build.ts'
import PackageInspect from './package/inspect.ts'
import PackageVerify from './package/verify.ts'
import Reset from './reset/index.ts'
import ResetPhase from './reset/phase.ts'
import Status from './status.ts'
import TokenCreate from './token/create.ts'
import TokenDelete from './token/delete.ts'
import TokenGenerate from './token/generate.ts'
import TokenList from './token/list.ts'
import Version from './version.ts'

export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  'check:edge': CheckEdge,
  init: Init,
  'init:phase': InitPhase,
  'lab:create': LabCreate,
  'lab:delete': LabDelete,
  'lab:diff': LabDiff,
  'lab:exec': LabExec,
  'lab:kill': LabKill,
  'lab:list': LabList,
  'lab:start': LabStart,
  join: Join,
  'join:phase': JoinPhase,
  'package:build': PackageBuild,
  'package:inspect': PackageInspect,
  'package:verify': PackageVerify,
  status: Status,
  'token:create': TokenCreate,
  'token:delete': TokenDelete,
  'token:generate': TokenGenerate,
  'token:list': TokenList,
  completion: Completion,
  reset: Reset,
  'reset:phase': ResetPhase,
  version: Version,
}
