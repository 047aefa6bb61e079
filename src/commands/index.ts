/** The one map of commands: id (words joined by ":") -> class. A command that is not here does not exist. */

import type { Command } from '@oclif/core'
import Apply from './apply.ts'
import BackupCreate from './backup/create.ts'
import BackupList from './backup/list.ts'
import BackupPrune from './backup/prune.ts'
import BackupTimer from './backup/timer.ts'
import BackupVerify from './backup/verify.ts'
import CertsRenew from './certs/renew.ts'
import CertsStatus from './certs/status.ts'
import CheckDns from './check/dns.ts'
import CheckEdge from './check/edge.ts'
import CheckSecurity from './check/security.ts'
import Completion from './completion.ts'
import Exec from './exec.ts'
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
import PackageDiff from './package/diff.ts'
import PackageInspect from './package/inspect.ts'
import PackageKeygen from './package/keygen.ts'
import PackageMerge from './package/merge.ts'
import PackageReceive from './package/receive.ts'
import PackageServe from './package/serve.ts'
import PackageVerify from './package/verify.ts'
import Plan from './plan.ts'
import ReplaceMaster from './replace/master.ts'
import Reset from './reset/index.ts'
import ResetPhase from './reset/phase.ts'
import Restore from './restore.ts'
import Status from './status/index.ts'
import StatusTimer from './status/timer.ts'
import SupportBundle from './support-bundle.ts'
import TokenCreate from './token/create.ts'
import TokenDelete from './token/delete.ts'
import TokenGenerate from './token/generate.ts'
import TokenList from './token/list.ts'
import UpgradeAbort from './upgrade/abort.ts'
import UpgradeApply from './upgrade/apply.ts'
import UpgradeImages from './upgrade/images.ts'
import UpgradeNode from './upgrade/node.ts'
import UpgradePlan from './upgrade/plan.ts'
import Version from './version.ts'

export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  apply: Apply,
  'backup:create': BackupCreate,
  'backup:list': BackupList,
  'backup:prune': BackupPrune,
  'backup:timer': BackupTimer,
  'backup:verify': BackupVerify,
  'certs:renew': CertsRenew,
  'certs:status': CertsStatus,
  'check:dns': CheckDns,
  'check:edge': CheckEdge,
  'check:security': CheckSecurity,
  exec: Exec,
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
  'package:diff': PackageDiff,
  'package:inspect': PackageInspect,
  'package:keygen': PackageKeygen,
  'package:merge': PackageMerge,
  'package:receive': PackageReceive,
  'package:serve': PackageServe,
  'package:verify': PackageVerify,
  plan: Plan,
  status: Status,
  'status:timer': StatusTimer,
  'support-bundle': SupportBundle,
  'token:create': TokenCreate,
  'token:delete': TokenDelete,
  'token:generate': TokenGenerate,
  'token:list': TokenList,
  completion: Completion,
  'replace:master': ReplaceMaster,
  reset: Reset,
  'reset:phase': ResetPhase,
  restore: Restore,
  'upgrade:abort': UpgradeAbort,
  'upgrade:apply': UpgradeApply,
  'upgrade:images': UpgradeImages,
  'upgrade:node': UpgradeNode,
  'upgrade:plan': UpgradePlan,
  version: Version,
}
