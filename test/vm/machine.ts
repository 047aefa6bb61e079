/**
 * A machine with a kernel of its own: user-mode Linux (Debian's package user-mode-linux), which runs as a process and needs
 * no hardware support. What the lab's machines share with their host, this one has for itself: kernel modules, control groups
 * version 2, SELinux. It has one processor, no cpuset controller, no nftables for IP, and no network but its own.
 */

import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { eventually } from '../lab/eventually.ts'

export interface CommandResult {
  /** Standard output and standard error. */
  readonly output: string
  readonly exitCode: number
}

export interface VirtualMachine {
  /** @param limit milliseconds */
  run(script: string, limit?: number): Promise<CommandResult>
  /** Ends it and removes its disk. */
  destroy(): Promise<void>
  /** The folder with its disk and console.log. */
  readonly folder: string
}

const FILES = fileURLToPath(new URL('root', import.meta.url))
const MODULES = '/usr/lib/uml/modules'
const KERNEL = '/usr/bin/linux.uml'
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'udev', 'dbus', 'login', 'kmod', 'procps', 'iproute2', 'iputils-ping'],
  ...['iptables', 'conntrack', 'socat', 'ethtool', 'ebtables', 'ca-certificates', 'curl'],
  ...['selinux-policy-default', 'selinux-utils', 'policycoreutils'],
]
/** MiB. */
const MEMORY = 4096

/** @param contents files of the host to put into the machine: path there -> path here */
export async function bootMachine(contents: Readonly<Record<string, string>>): Promise<VirtualMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeadm-vm-'))
  const shared = join(folder, 'host')
  await mkdir(shared)
  await makeDisk(folder, contents)
  const command = [
    ...['setpriv', '--pdeathsig=TERM', KERNEL, `mem=${MEMORY}M`, `ubd0=${join(folder, 'disk')}`],
    ...['root=/dev/ubda', 'rw', 'con=null', 'con0=null,fd:1', 'ssl=null', `uml_dir=${folder}`],
    ...['systemd.unified_cgroup_hierarchy=1', `host_folder=${shared}`],
  ]
  const [file = '', ...args] = command
  const log = { file: join(folder, 'console.log') }
  // Its memory is a file; /dev/shm is not on a disk.
  const env = { TMPDIR: '/dev/shm' }
  const kernel = execa(file, args, { stdin: 'ignore', stdout: log, stderr: log, env, reject: false })
  let hasEnded = false
  void kernel.then(() => {
    hasEnded = true
  })
  let count = 0
  const machine: VirtualMachine = {
    folder,
    async run(script, limit = 60_000) {
      count += 1
      const name = join(shared, String(count))
      await writeFile(`${name}.part`, script)
      await rename(`${name}.part`, `${name}.sh`)
      await eventually(
        () => exists(`${name}.code`),
        (isDone) => isDone || hasEnded,
        limit,
      )
      if (hasEnded) throw new Error(`the machine ended: see ${log.file}`)
      const exitCode = Number(await readFile(`${name}.code`, 'utf8'))
      return { output: await readFile(`${name}.out`, 'utf8'), exitCode }
    },
    async destroy() {
      // Not SIGKILL: its helper processes would stay.
      kernel.kill('SIGTERM')
      await kernel
      await rm(folder, { recursive: true })
    },
  }
  await machine.run('systemctl is-system-running --wait', 300_000)
  return machine
}

async function makeDisk(folder: string, contents: Readonly<Record<string, string>>): Promise<void> {
  const root = join(folder, 'root')
  const disk = join(folder, 'disk')
  const [version = ''] = await readdir(MODULES)
  const hooks = [
    `tar -C ${FILES} -c . | tar -C "$1" -x --no-same-owner`,
    `mkdir -p "$1/lib/modules" && cp -a ${MODULES}/${version} "$1/lib/modules/"`,
    `chroot "$1" depmod ${version}`,
    'chroot "$1" systemctl enable prepare-machine.service run-commands.service',
    'for name in iptables ip6tables; do chroot "$1" update-alternatives --set $name /usr/sbin/$name-legacy; done',
    'echo "/dev/ubda / ext4 defaults 0 1" > "$1/etc/fstab"; echo vm > "$1/etc/hostname"; echo "127.0.1.1 vm" > "$1/etc/hosts"',
    ...Object.entries(contents).map(([inside, outside]) => `cp ${outside} "$1${inside}"`),
    'chroot "$1" setfiles -F /etc/selinux/default/contexts/files/file_contexts /',
  ]
  await execa('mmdebstrap', [
    '--variant=minbase',
    `--include=${PACKAGES.join(',')}`,
    ...hooks.map((hook) => `--customize-hook=${hook}`),
    'bookworm',
    root,
  ])
  await execa('truncate', ['--size=12G', disk])
  await execa('mkfs.ext4', ['-q', '-F', '-d', root, disk])
  await rm(root, { recursive: true })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
