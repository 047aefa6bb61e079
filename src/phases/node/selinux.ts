import type { NodeContext } from '../context.ts'
import type { Phase } from '../workflow.ts'

/**
 * SELinux stays as it is. An enforcing system needs a policy for containers and the right labels on what edgeadm put
 * there; what is missing is said, since switching it off is not edgeadm's to do.
 */
export const selinux: Phase<NodeContext> = {
  name: 'node/selinux',
  title: 'Look at SELinux',
  runIf: async ({ host }) => {
    const mode = await host.probe('getenforce', [])
    return mode.stdout === 'Enforcing' ? true : 'SELinux is not enforcing'
  },
  run: async ({ host, emit }) => {
    const policy = await host.probe('semodule', ['-l'])
    if (!policy.stdout.split('\n').some((line) => line.startsWith('container'))) {
      emit({
        type: 'warning',
        text: 'SELinux is enforcing and has no policy for containers: install the package container-selinux, or Pods may be denied access to their files',
      })
    }
    for (const path of ['/usr/local/bin', '/opt/cni/bin', '/etc/kubernetes', '/etc/cni']) {
      if ((await host.stat(path)) === undefined) continue
      await host.run('restorecon', ['-R', path], { title: `label ${path} by the SELinux policy`, undo: null })
    }
  },
}
