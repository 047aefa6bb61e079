import { namesIn } from '../../kubernetes/serving-names.ts'
import type { InitContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { kubeadm } from './kubeadm.ts'

const phase = kubeadm<InitContext>('init', 'certs')

/**
 * kubeadm keeps a certificate that is there, and fails if it lacks a name (cmd/kubeadm/app/phases/certs/certs.go). Where the
 * phase alone is asked for a further name, the old certificate has to go first. The API server loads the new one by itself.
 */
export const certificates: Phase<InitContext> = {
  ...phase,
  run: async (ctx) => {
    const isAlone = ctx.kubeadmConfig !== undefined
    if (isAlone && !ctx.skips('certs/apiserver')) await makeRoom(ctx)
    await phase.run(ctx)
  },
}

async function makeRoom({ host, settings }: InitContext): Promise<void> {
  const { certDir, certSANs } = settings
  const names = namesIn(await host.readFile(`${certDir}/apiserver.crt`))
  if (names.length === 0 || certSANs.every((name) => names.includes(name))) return
  // Without the CA's key kubeadm could not issue another one.
  if ((await host.stat(`${certDir}/ca.key`)) === undefined) return
  await host.run('rm', ['-f', `${certDir}/apiserver.crt`, `${certDir}/apiserver.key`], {
    title: "remove the API server's certificate, which lacks a name",
    undo: null,
  })
}
