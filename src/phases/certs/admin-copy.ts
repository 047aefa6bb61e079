import { clientCertificate } from '../../kubernetes/node-certificates.ts'
import { ADMIN_CONF } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { type RenewContext, wants } from './context.ts'

/** What init copied for root: kubernetes/admin-kubeconfig. */
const COPY = '/root/.kube/config'

/** root's copy of admin.conf has the same certificate, unless root made it another file since. */
export const adminCopy: Phase<RenewContext> = {
  name: 'certs/admin-copy',
  title: "Renew root's copy of the admin kubeconfig",
  runIf: async (ctx) => {
    if (!wants(ctx, ['admin.conf'])) return 'admin.conf is as it was'
    const pem = clientCertificate(await ctx.host.readFile(COPY))
    const before = ctx.facts.found.find(({ name }) => name === 'admin.conf')?.certificate.toString()
    return (pem !== undefined && pem.trim() === before?.trim()) || `${COPY} is none`
  },
  run: async ({ host }) => {
    const content = await host.readFile(ADMIN_CONF)
    if (content !== undefined)
      await host.writeFile(COPY, content, { mode: 0o600, secret: true, format: 'kubeconfig' })
  },
}
