/** Hosts on which something is wrong: how each is made so, and what apply has to say of it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LightFleet, LightMachine, LightOptions } from '../../fleet/light-machine.ts'
import { makeKey } from '../../fleet/sshd.ts'
import type { LineOptions } from './line.ts'

export interface Trouble {
  readonly state: 'done' | 'failed' | 'unreachable'
  /** What stands beside the host. */
  readonly says?: RegExp
  readonly machine?: (fleet: LightFleet) => LightOptions
  readonly boot?: (machine: LightMachine) => void
  readonly line?: LineOptions
  /** Fields of ssh in the inventory. */
  readonly ssh?: (fleet: LightFleet) => string
}

/** Says what the real one says. */
const SUDO = `#!/bin/sh
echo 'sudo: a password is required' >&2
exit 1
`

export const TROUBLES: Readonly<Record<string, Trouble>> = {
  'reset-at-once': {
    state: 'unreachable',
    says: /does not answer/,
    line: { breakAfter: { bytes: 0, connections: 99 } },
  },
  'reset-after-the-banner': {
    state: 'unreachable',
    says: /does not answer/,
    line: { breakAfter: { bytes: 20, connections: 99 } },
  },
  'reset-in-the-key-exchange': {
    state: 'unreachable',
    says: /does not answer/,
    line: { breakAfter: { bytes: 1500, connections: 99 } },
  },
  'reset-after-the-login': {
    state: 'unreachable',
    line: { breakAfter: { bytes: 3000, connections: 99 } },
  },
  'reset-twice-and-then-not': { state: 'done', line: { breakAfter: { bytes: 20, connections: 2 } } },
  'reset-in-the-run': { state: 'done', line: { breakAfter: { bytes: 9500, connections: 1 } } },
  'silent-on-the-line': { state: 'unreachable', says: /does not answer/, line: { silent: true } },
  'hangs-after-the-login': {
    state: 'unreachable',
    says: /did not end within 60 s/,
    machine: () => ({ sshd: ['ForceCommand sleep 100'] }),
  },
  'refuses-sudo': {
    state: 'failed',
    says: /sudo asks for a password, and none is known/,
    machine: () => ({
      files: {
        'etc/passwd': `${readFileSync('/etc/passwd', 'utf8')}ops:*:12345:65534::/:/bin/sh\n`,
        'usr/local/bin/sudo': SUDO,
      },
    }),
    ssh: () => 'user: ops',
  },
  'full-disk': {
    state: 'failed',
    says: /No space left on device/,
    boot: (machine) => machine.run('mount -t tmpfs -o size=64m,nr_inodes=3 tmpfs /var/lib'),
  },
  'wrong-key': {
    state: 'failed',
    says: /refuses the login/,
    machine: (fleet) => ({ authorizedKeys: otherKey(fleet) }),
  },
  'changed-host-key': {
    state: 'failed',
    says: /its host key is ssh-ed25519 SHA256:\S+, and not ssh-ed25519 SHA256:\S+/,
    ssh: (fleet) => `hostKey: "${otherKey(fleet).trim()}"`,
  },
  'revoked-host-key': {
    state: 'failed',
    says: /is revoked/,
    ssh: (fleet) => `knownHosts: ${join(fleet.directory, 'revoked')}`,
  },
  'unknown-host-key': {
    state: 'failed',
    says: /nobody vouches for its host key/,
    ssh: () => 'knownHosts: /dev/null',
  },
  'fails-in-a-phase': {
    state: 'failed',
    says: /the kubelet does not start; look at its journal/,
    boot: (machine) => machine.run('echo fail > /srv/trouble'),
  },
  'killed-in-the-run': { state: 'done', boot: (machine) => machine.run('echo kill > /srv/trouble') },
}

let other: string | undefined

function otherKey({ directory }: LightFleet): string {
  other ??= readFileSync(`${makeKey(directory, 'other')}.pub`, 'utf8')
  return other
}
