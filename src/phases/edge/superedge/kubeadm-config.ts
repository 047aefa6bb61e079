import type { JoinSettings } from '../../../config/types.ts'
import { EDGE_LABEL, EDGE_LABEL_VALUE, LITE } from '../../../superedge/paths.ts'
import type { JoinContext } from '../../context.ts'
import { kubeadmConfig } from '../../kubernetes/config.ts'
import type { Phase } from '../../workflow.ts'

/** kubeadm's configuration for a worker that knows no API server but lite-apiserver. */
export const superEdgeKubeadmConfig: Phase<JoinContext> = {
  ...kubeadmConfig,
  run: (ctx) => kubeadmConfig.run({ ...ctx, settings: throughLiteApiserver(ctx.settings) }),
}

export function throughLiteApiserver(settings: JoinSettings): JoinSettings {
  return {
    ...settings,
    discovery: { kind: 'file', path: LITE.discovery },
    node: { ...settings.node, labels: { ...settings.node.labels, [EDGE_LABEL]: EDGE_LABEL_VALUE } },
  }
}
