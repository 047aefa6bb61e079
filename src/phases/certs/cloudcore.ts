import { renewCloudCore } from '../edge/certificates.ts'
import type { Phase } from '../workflow.ts'
import { CLOUDCORE, type RenewContext, wants } from './context.ts'

/** Both are made at once: they have the same names, and one restart of CloudCore is enough. */
export const cloudCoreCertificates: Phase<RenewContext> = {
  name: 'certs/cloudcore',
  title: "Renew CloudCore's certificates",
  runIf: (ctx) => wants(ctx, CLOUDCORE) || 'they are not wanted',
  run: (ctx) => renewCloudCore(ctx, ctx.settings.dryRun),
}
