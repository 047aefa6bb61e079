import { readdir, readFile, readlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { findCgroups } from '../../src/lab/cgroups.ts'
import {
  cutMachine,
  diffMachine,
  healMachine,
  killMachine,
  listLabs,
  startMachine,
} from '../../src/lab/index.ts'
import { requireRunning } from '../../src/lab/running.ts'
import { createTestLab, deleteTestLab, reporting, uniqueLabName, useLab } from './machines.ts'

const CLI = fileURLToPath(new URL('../../bin/edgeadm.ts', import.meta.url))

const edgeadm = (...args: string[]) => execa(process.execPath, [CLI, 'lab', ...args], { reject: false })

describe('a lab', () => {
  const lab = useLab({ masters: 1, workers: 1 })

  test('is listed with its machines', async () => {
    const { stdout } = await edgeadm('list')
    expect(stdout).toMatch(new RegExp(`^${lab.name} +master-1 +master +10\\.123\\.0\\.11 +running$`, 'm'))
    expect(stdout).toMatch(new RegExp(`^${lab.name} +worker-1 +worker +10\\.123\\.0\\.51 +running$`, 'm'))
  })

  test('exec passes on exit code, arguments, input and output', async () => {
    const exec = (machine: string, ...command: string[]) =>
      edgeadm('exec', '--lab', lab.name, machine, '--', ...command)
    expect((await exec('master-1', 'sh', '-c', 'exit 42')).exitCode).toBe(42)
    expect((await exec('master-1', 'printf', '%s|', 'a b', '--x', '$HOME')).stdout).toBe('a b|--x|$HOME|')
    expect((await exec('worker-1', 'hostname')).stdout).toBe('worker-1')
    expect((await exec('master-1', 'echo', 'master-1', '--', 'echo')).stdout).toBe('master-1 -- echo')
    expect((await exec('master-1', 'no-such-program')).exitCode).toBe(127)
    const input = await lab.run('master-1', ['wc', '-c'], { input: 'seven b' })
    expect(input.trim()).toBe('7')
  })

  test('Ctrl-C on a terminal is for the command inside, which may take its time', async () => {
    const inside = `trap 'echo heard' INT; echo ready; n=0; while [ $n -lt 10 ]; do sleep 0.2; n=$((n+1)); done; echo end; exit 3`
    await lab.run('master-1', ['sh', '-c', 'cat >/run/inside'], { input: inside })
    const line = [
      process.execPath,
      CLI,
      'lab',
      'exec',
      '--lab',
      lab.name,
      'master-1',
      '--',
      'sh',
      '/run/inside',
    ]
    // Without "exec" a shell such as dash stays in between, and tells of the signal instead of the command's exit code.
    const command = `exec ${line.join(' ')}`
    const terminal = execa('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      stdin: 'pipe',
      reject: false,
    })
    terminal.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('ready')) terminal.stdin.write('\u0003')
    })
    const { exitCode, stdout } = await terminal
    expect(stdout.replaceAll('\r', '')).toMatch(/^ready\n\^Cheard\nend$/)
    expect(exitCode).toBe(3)
  })

  test('an unknown machine is answered with the nearest name', async () => {
    const { exitCode, stderr } = await edgeadm('exec', '--lab', lab.name, 'mster-1', '--', 'true')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('did you mean master-1?')
  })

  test('machines reach each other by name, and nothing else', async () => {
    await lab.run('master-1', ['ping', '-c1', '-W2', 'worker-1'])
    const outside = await lab.probe('master-1', ['ping', '-c1', '-W1', '192.0.2.1'])
    expect(outside.exitCode).not.toBe(0)
  })

  test('each machine sees only its own processes and control groups', async () => {
    const make = 'd=/sys/fs/cgroup/memory; [ -d $d ] || d=/sys/fs/cgroup; mkdir $d/lab-probe'
    await lab.run('worker-1', ['sh', '-c', make])
    const seen = await lab.run('master-1', ['find', '/sys/fs/cgroup', '-name', 'lab-probe'])
    expect(seen).toBe('')
    const first = await lab.run('master-1', ['cat', '/proc/1/comm'])
    expect(first.trim()).toBe('systemd')
  })

  test('a cut cable is cut both ways, and healed', async () => {
    const ping = async () => (await lab.probe('worker-1', ['ping', '-c1', '-W1', '10.123.0.11'])).exitCode
    for (const others of [['master-1'], undefined]) {
      await cutMachine(lab.name, 'worker-1', others)
      expect(await ping()).not.toBe(0)
      await healMachine(lab.name, 'worker-1')
      expect(await ping()).toBe(0)
    }
  })

  test('diff lists what changed, and only that', async () => {
    const change = [
      'echo 127.0.0.2 other >>/etc/hosts',
      'chmod 600 /etc/hostname',
      'chown 1:1 /etc/debian_version',
      'rm /etc/motd',
      'ln -sfn /nowhere /etc/localtime',
      'touch /etc/fstab',
      'cp /etc/passwd /etc/passwd.copy && mv /etc/passwd.copy /etc/passwd',
      'mkdir -p /opt/new/deep && echo x >/opt/new/deep/file',
      'echo x >/run/not-on-disk',
    ]
    await lab.run('worker-1', ['sh', '-ec', change.join('\n')])
    const differences = (await diffMachine(lab.name, 'worker-1')).filter(
      ({ path }) => !path.startsWith('/var/log/'),
    )
    expect(differences).toEqual([
      { kind: 'changed', path: '/etc/debian_version', aspects: ['owner'], count: 1 },
      { kind: 'changed', path: '/etc/hostname', aspects: ['mode'], count: 1 },
      { kind: 'changed', path: '/etc/hosts', aspects: ['content'], count: 1 },
      { kind: 'changed', path: '/etc/localtime', aspects: ['content'], count: 1 },
      { kind: 'removed', path: '/etc/motd', aspects: [], count: 1 },
      { kind: 'added', path: '/opt/new', aspects: [], count: 3 },
    ])
    const { stdout } = await edgeadm('diff', '--lab', lab.name, 'worker-1', '--ignore', '/var/log')
    expect(stdout.split('\n')).toContain('C /etc/hosts (content)')
    expect(stdout.split('\n')).toContain('A /opt/new (3 files)')
  })

  test('a machine that is off refuses commands; it boots again with its disk', async () => {
    await lab.run('worker-1', ['sh', '-c', 'echo kept >/root/kept && sync'])
    await killMachine(lab.name, 'worker-1')
    expect((await edgeadm('list')).stdout).toMatch(new RegExp(`^${lab.name} +worker-1 .* off$`, 'm'))
    const refused = await edgeadm('exec', '--lab', lab.name, 'worker-1', '--', 'touch', '/tmp/on-the-host')
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain('worker-1 of lab')
    await startMachine(lab.name, 'worker-1', reporting)
    expect(await lab.run('worker-1', ['cat', '/root/kept'])).toBe('kept')
    await lab.run('worker-1', ['ping', '-c1', '-W2', 'master-1'])
  })

  test('a power cut ends a frozen container, too', async () => {
    await lab.run('worker-1', ['sh', '-c', 'cat >/run/freeze'], { input: FREEZE })
    await lab.run('worker-1', ['sh', '/run/freeze'])
    await killMachine(lab.name, 'worker-1')
    expect(await findCgroups(lab.name, 'worker-1')).toEqual([])
    await startMachine(lab.name, 'worker-1', reporting)
  })
})

/** As runc does it: a control group with a process in it, frozen. Version 1 and version 2. */
const FREEZE = `
set -e
# A frozen process must not hold what this command's caller waits for.
exec >/dev/null 2>&1
v1=/sys/fs/cgroup/freezer
group=$([ -d $v1 ] && echo $v1/frozen || echo /sys/fs/cgroup/frozen)
mkdir $group
sleep 1000 & echo $! >$group/cgroup.procs
if [ -d $v1 ]; then echo FROZEN >$group/freezer.state; else echo 1 >$group/cgroup.freeze; fi
until grep -qs FROZEN $group/freezer.state || grep -qs 'frozen 1' $group/cgroup.events; do :; done
`

describe('labs side by side', () => {
  const first = useLab({ masters: 1 })

  test('the second has the same names and addresses, and its deletion leaves nothing of it', async () => {
    const second = uniqueLabName()
    await createTestLab(second, { masters: 1, workers: 1 })
    const namespaces = await namespacesOf(second, ['master-1', 'worker-1'])
    expect((await listLabs()).map(({ name }) => name)).toEqual(expect.arrayContaining([first.name, second]))

    await deleteTestLab(second)
    expect(await findCgroups(second)).toEqual([])
    expect(await usersOf(namespaces)).toEqual([])
    expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(second)
    const shown = await Promise.all([
      execa('ip', ['netns']),
      execa('ip', ['link']),
      execa('ps', ['-eo', 'args']),
    ])
    for (const { stdout } of shown) expect(stdout).not.toContain(second)
    expect((await listLabs()).map(({ name }) => name)).not.toContain(second)
    expect((await first.run('master-1', ['hostname'])).trim()).toBe('master-1')
  })

  test('a name is taken once', async () => {
    const { exitCode, stderr } = await edgeadm('create', first.name, '--bare')
    expect(exitCode).toBe(3)
    expect(stderr).toContain(`there is already a lab called ${first.name}`)
  })

  test('a creation that was killed can be deleted', async () => {
    const name = uniqueLabName()
    const child = execa(process.execPath, [CLI, 'lab', 'create', name, '--bare'], { reject: false })
    child.stderr.on('data', (text: Buffer) => {
      if (text.toString().includes('[machines]')) child.kill('SIGKILL')
    })
    expect((await child).signal).toBe('SIGKILL')
    expect((await edgeadm('delete', name)).exitCode).toBe(0)
    expect(await findCgroups(name)).toEqual([])
    expect((await execa('ip', ['netns'])).stdout).not.toContain(name)
  })
})

const KINDS = ['net', 'mnt', 'pid', 'uts', 'ipc', 'cgroup']

/** Kernel names ("net:[4026532345]") of the machines' namespaces. */
async function namespacesOf(lab: string, machines: readonly string[]): Promise<Set<string>> {
  const names = new Set<string>()
  for (const machine of machines) {
    const { leader } = await requireRunning(lab, machine)
    for (const kind of KINDS) names.add(await readlink(`/proc/${leader}/ns/${kind}`))
  }
  for (const kind of KINDS) expect(names).not.toContain(await readlink(`/proc/self/ns/${kind}`))
  return names
}

/** Processes of this host that are in one of the namespaces. */
async function usersOf(namespaces: ReadonlySet<string>): Promise<string[]> {
  const users: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
    for (const kind of KINDS) {
      const name = await readlink(`/proc/${pid}/ns/${kind}`).catch(() => '') // it ended meanwhile, or is a zombie
      if (namespaces.has(name)) users.push(pid)
    }
  return users
}
