import { KUBEEDGE } from '../../kubeedge/paths.ts'
import { BIN, type JoinContext } from '../context.ts'
import { installFromPackage, isInstalled } from '../install.ts'
import type { Phase } from '../workflow.ts'

/** What edgecore makes; reset removes it. */
const MADE_LATER = [KUBEEDGE, '/var/lib/kubeedge', '/var/log/kubeedge', '/var/lib/edged', '/run/kubeedge']

const placeOf = (name: string): string | undefined => (name === 'edgecore' ? `${BIN}/edgecore` : undefined)

/** edgecore itself. Its folders are made beforehand, for root alone: its store holds Secrets, and it would be readable by all. */
export const edgeInstall: Phase<JoinContext> = {
  name: 'edge/edgecore',
  title: 'Install edgecore',
  inputs: ({ manifest }) => manifest?.files.filter(({ path }) => path === 'bin/edgecore'),
  verify: async (ctx) => isInstalled(ctx, 'bin/', placeOf),
  run: async (ctx) => {
    const { host } = ctx
    for (const path of MADE_LATER) await host.claim(path)
    for (const path of ['', '/ca', '/certs', '/config', '/pki', '/manifests'])
      await host.makeDirectory(`${KUBEEDGE}${path}`, { mode: 0o700 })
    await host.makeDirectory('/var/lib/kubeedge', { mode: 0o700 })
    await installFromPackage(ctx, 'bin/', placeOf)
  },
}
