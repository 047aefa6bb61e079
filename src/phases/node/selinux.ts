import type { Look } from '../../host/host.ts'
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
    if (!(await hasContainerPolicy(host))) {
      emit({
        type: 'warning',
        text: 'SELinux is enforcing and has no policy for containers: install the package container-selinux, or Pods may be denied access to their files',
      })
    }
    // Programs were labelled when they were installed.
    for (const path of ['/etc/kubernetes', '/etc/cni']) {
      if ((await host.stat(path)) === undefined) continue
      await host.run('restorecon', ['-R', path], { title: `label ${path} by the SELinux policy`, undo: null })
    }
  },
}

const STORE = '/var/lib/selinux'

/**
 * Looks at the modules of the installed policies as files (semanage.conf(5)): `semodule` runs in a domain of its own, which
 * an enforcing policy keeps from writing to the sockets that Node.js gives its child processes as output.
 */
async function hasContainerPolicy(host: Look): Promise<boolean> {
  for (const policy of await host.list(STORE)) {
    const modules = `${STORE}/${policy}/active/modules`
    for (const priority of await host.list(modules))
      if ((await host.list(`${modules}/${priority}`)).some((name) => name.startsWith('container')))
        return true
  }
  return false
}
