import { Args } from '@oclif/core'
import { upgradePlanFlags } from '../../config/flags.ts'
import { EdgeadmError, EXIT_CODES } from '../../output/errors.ts'
import { BaseCommand } from '../base.ts'

export default class UpgradePlan extends BaseCommand {
  static override summary = 'Show what an upgrade would change, and what stands in its way'
  static override description =
    'On a master. Changes nothing, and tells all blockers at once. Exit code 0: all is at the version of the package; 10: there is something to do; 3: something stands in the way.'
  static override examples = [
    '<%= config.bin %> upgrade plan --install-pkg-path ./edgeadm-0.1.0-kube-v1.34.4-linux-amd64.tar.zst',
  ]
  static override flags = upgradePlanFlags
  static override args = {
    version: Args.string({ ignoreStdin: true, description: 'Version that the package has to have' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(UpgradePlan)
    const { upgradePlan, planText } = await import('../../run/upgrade-plan.ts')
    const plan = await upgradePlan(args.version, flags, this.reporting)
    this.result(planText(plan), plan)
    const errors = plan.problems.filter(({ severity }) => severity === 'error')
    if (errors.length > 0)
      throw new EdgeadmError(
        'preflight',
        errors.length === 1
          ? `something stands in the way of the upgrade to ${plan.to}`
          : `${errors.length} things stand in the way of the upgrade to ${plan.to}`,
        {
          details: errors.map(({ check, text }) => `[ERROR ${check}]: ${text}`),
          fix: 'mend them and run `edgeadm upgrade plan` again',
        },
      )
    if (plan.hasWork) process.exitCode = EXIT_CODES.drift
  }
}
