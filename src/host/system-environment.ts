/**
 * The environment of every command that edgeadm starts on this machine. What the caller's shell, sudo or a service has
 * set must not decide what happens: `su` without a dash has no /usr/sbin in PATH, other languages change messages, and
 * kubeadm copies proxy variables into the static Pods (cmd/kubeadm/app/util/env.go).
 */

import { userInfo } from 'node:os'

/** Where programs are looked up. /usr/local first: the programs of the package lie there. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Of the caller's environment commands get these alone. */
const INHERITED = ['TZ', 'TERM']

/** @param own variables of the caller */
export function systemEnvironment(own: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = own[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  // C.UTF-8 is in glibc since 2.35 and in Debian and Red Hat long before; where it is missing, C is used.
  return { ...Object.fromEntries(inherited), PATH: SYSTEM_PATH, LC_ALL: 'C.UTF-8', HOME: home() }
}

/** The user's own directory by the list of users: sudo may leave HOME at another user's, and `env -i` leaves none. */
function home(): string {
  try {
    return userInfo().homedir
  } catch {
    return '/' // a user who is in no list
  }
}
