import { EDGECORE_UNIT } from '../../kubeedge/paths.ts'
import type { JoinContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

export const edgeStart: Phase<JoinContext> = {
  name: 'edge/start',
  title: 'Start edgecore',
  // What it was started with; a change of it starts it afresh.
  inputs: ({ settings, manifest }) => [
    settings.node,
    settings.edge,
    settings.documents.KubeletConfiguration,
    manifest?.components,
  ],
  verify: async ({ host }) => (await host.serviceState(EDGECORE_UNIT)).active,
  run: async ({ host }) => {
    await host.service(EDGECORE_UNIT, { enabled: true, active: true, restart: true })
  },
}
