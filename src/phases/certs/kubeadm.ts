import { KUBEADM } from '../../kubernetes/kubectl.ts'
import { IN_PKI, KUBECONFIGS } from '../../kubernetes/node-certificates.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { KUBEADM_ENV } from '../context.ts'
import type { Phase } from '../workflow.ts'
import type { RenewContext } from './context.ts'

export const KUBEADM_NAMES: readonly string[] = [...Object.keys(IN_PKI), ...KUBECONFIGS]

/**
 * kubeadm's own command, which keeps the names in each certificate. It asks the cluster for its settings, and works without.
 * The files are claimed since init.
 */
export const renewByKubeadm: Phase<RenewContext> = {
  name: 'certs/kubeadm',
  title: "Renew kubeadm's certificates",
  runIf: ({ settings }) => settings.names.some((name) => KUBEADM_NAMES.includes(name)) || 'none is wanted',
  run: async ({ host, settings, facts }) => {
    for (const name of settings.names.filter((one) => KUBEADM_NAMES.includes(one))) {
      const args = ['certs', 'renew', name, '--cert-dir', facts.pki]
      const output = await host.run(KUBEADM, args, {
        title: `renew ${name}`,
        undo: null,
        env: KUBEADM_ENV,
      })
      // kubeadm ends with 0 where it had nothing to sign with.
      if (/Detected external/.test(output.stdout))
        throw new EdgeadmError(
          'phase',
          `${name} cannot be renewed here: the key of its CA is not on this machine`,
          {
            fix: 'have the one who keeps the CA sign it: `kubeadm certs generate-csr`',
          },
        )
    }
  },
}
