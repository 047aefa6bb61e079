/** reset: afterwards a machine is as it was before, whatever it was and however far edgeadm had come. */

import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type CommandResult, machinePaths } from '../../src/lab/index.ts'
import type { Event } from '../../src/output/events.ts'
import { unpackPackage } from '../../src/package/index.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { type MachineState, machineState } from './machine-state.ts'
import { reporting, useLab } from './machines.ts'

const lab = useLab({ masters: 1, workers: 1, executable: EXECUTABLE, package: PACKAGE })
const WITH_PACKAGE = [
  `--install-pkg-path=/root/${basename(PACKAGE)}`,
  '--config=/root/cluster.yaml',
  '--enable-edge=false',
]
const INIT = ['edgeadm', 'init', ...WITH_PACKAGE]
const RESET = ['edgeadm', 'reset', '--force']
const PLANT_CONTAINERD = readFileSync(new URL('plant-containerd.sh', import.meta.url), 'utf8')
const PLANT = readFileSync(new URL('plant-user-files.sh', import.meta.url), 'utf8')

const before: Record<string, MachineState> = {}

beforeAll(async () => {
  for (const machine of ['master-1', 'worker-1']) {
    await lab.run(machine, ['bash', '-s'], { input: PLANT })
    before[machine] = await machineState(lab, machine)
  }
})

async function expectAsBefore(machine: string): Promise<void> {
  expect(await machineState(lab, machine)).toEqual(before[machine])
}

/** Files without containerd's store: the kubelet takes ended containers out of it when it likes. */
async function filesOf(machine: string): Promise<string[]> {
  const { files } = await machineState(lab, machine)
  return files.filter((line) => !line.includes(' /var/lib/containerd'))
}

async function succeed(machine: string, command: readonly string[]): Promise<CommandResult> {
  const result = await lab.probe(machine, command)
  expect(result.exitCode, `${command.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(0)
  return result
}

/** Runs a command and sends its process alone a signal at the first event that `isTime` names. */
async function stopAt(
  machine: string,
  command: readonly string[],
  isTime: (event: Event) => boolean,
  signal: 'KILL' | 'INT' = 'KILL',
): Promise<CommandResult> {
  let killing: Promise<unknown> | undefined
  const result = await lab.probe(machine, [...command, '--output=json'], {
    onLine: (line) => {
      if (killing !== undefined || !line.startsWith('{') || !isTime(JSON.parse(line) as Event)) return
      const kill = `kill -${signal} "$(sed -E 's/.*"pid":([0-9]+).*/\\1/' /run/edgeadm/lock)"`
      killing = lab.run(machine, ['sh', '-c', kill])
    },
  })
  expect(killing, 'the moment never came').toBeDefined()
  await killing
  return result
}

const phaseStarts = (name: string) => (event: Event) =>
  event.type === 'phase' && event.phase === name && event.state === 'started'

describe('on a machine that edgeadm never touched', () => {
  test('says so and changes nothing', async () => {
    const result = await succeed('master-1', RESET)
    expect(result.stdout).toContain('edgeadm has changed nothing on master-1')
    await expectAsBefore('master-1')
  })
})

describe('of a cluster', () => {
  let joinLine: string[] = []

  test('a master and a worker come to be', async () => {
    const { stdout } = await succeed('master-1', INIT)
    joinLine = /edgeadm join .*/.exec(stdout)?.[0].trim().split(/\s+/) ?? []
    await succeed('worker-1', [...joinLine, ...WITH_PACKAGE])
  })

  test('a cluster that is not on record is refused by the name of its maker, and nothing is lost', async () => {
    await lab.run('master-1', ['mv', '/var/lib/edgeadm', '/root/record'])
    // An init that was refused may have left its download.
    await lab.run('master-1', [
      'sh',
      '-c',
      'mkdir -p /var/lib/edgeadm/downloads; touch /var/lib/edgeadm/downloads/p',
    ])
    const refused = await lab.probe('master-1', RESET)
    await lab.run('master-1', ['sh', '-c', 'rm -r /var/lib/edgeadm; mv /root/record /var/lib/edgeadm'])
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain('a cluster that edgeadm did not make: it seems to be made by kubeadm')
    expect(refused.stderr).toContain('`kubeadm reset` takes the machine out')
    expect(await lab.run('master-1', ['ls', '/var/lib/etcd/member'])).toContain('wal')
    await succeed('master-1', ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', 'get', 'nodes'])
  })

  test('asks first, and without a terminal wants --force', async () => {
    const during = await filesOf('worker-1')
    const result = await lab.probe('worker-1', ['edgeadm', 'reset'])
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toContain('no terminal to ask on')
    expect(await filesOf('worker-1')).toEqual(during)
  })

  test('tells its plan in a dry run, and does nothing of it', async () => {
    const during = await filesOf('worker-1')
    const result = await succeed('worker-1', ['edgeadm', 'reset', '--dry-run'])
    expect(result.stderr).toContain(
      'This machine is worker-1: a worker of the cluster at https://10.123.0.11:6443',
    )
    expect(result.stderr).toMatch(/kube-flannel\/kube-flannel-ds-\S+, kube-system\/kube-proxy-/)
    expect(result.stderr).toContain('kubeadm reset phase cleanup-node')
    expect(result.stderr).toContain('remove /usr/local/bin/kubelet')
    expect(result.stderr).toContain('restore /etc/modules-load.d/edgeadm.conf')
    expect(await filesOf('worker-1')).toEqual(during)
    expect((await lab.probe('worker-1', ['systemctl', 'is-active', 'kubelet'])).stdout.trim()).toBe('active')
  })

  test('needs no root for that, but the right to read what is on record', async () => {
    const asNobody = ['setpriv', '--reuid=65534', '--clear-groups', 'edgeadm', 'reset', '--dry-run']
    const result = await lab.probe('worker-1', asNobody)
    expect(result.exitCode).toBe(3)
    expect(result.stderr).toContain('/var/lib/edgeadm, which only root may read')
  })

  test('on a terminal takes no for an answer', async () => {
    const result = await lab.probe('worker-1', ['script', '-qec', 'edgeadm reset', '/dev/null'], {
      input: 'n\r',
    })
    expect(result.exitCode).toBe(2)
    expect(result.stdout).toContain('Put worker-1 back as it was before edgeadm')
    expect(result.stdout).toContain('not confirmed: nothing was changed')
    expect((await lab.probe('worker-1', ['systemctl', 'is-active', 'kubelet'])).stdout.trim()).toBe('active')
  })

  test('refuses phases that it does not have, with the nearest name', async () => {
    const result = await lab.probe('worker-1', [...RESET, '--skip-phases=cleanup-nod'])
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toContain('did you mean cleanup-node?')
  })

  test("--remove-node with a worker's credentials: the refusal is told, all else is done", async () => {
    const result = await lab.probe('worker-1', [...RESET, '--remove-node'])
    expect(result.exitCode).toBe(9)
    expect(result.stderr).toContain(
      "this machine's own credentials (system:node:worker-1) may not delete Nodes",
    )
    expect(result.stderr).toContain('edgeadm reset --remove-node worker-1')
    await expectAsBefore('worker-1')
  })

  test('a second worker life ends with containerd and the API server dead', async () => {
    await succeed('master-1', ['edgeadm', 'reset', '--remove-node', 'worker-1', '--force'])
    const kubectl = ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf']
    const nodes = await succeed('master-1', [...kubectl, 'get', 'nodes', '-o', 'name'])
    expect(nodes.stdout.trim()).toBe('node/master-1')
    await succeed('worker-1', [...joinLine, ...WITH_PACKAGE])
    await succeed('master-1', ['edgeadm', 'reset', 'phase', 'cleanup-node', '--force'])
    await lab.run('worker-1', ['systemctl', 'stop', 'containerd', 'kubelet'])
    await succeed('worker-1', RESET)
    await expectAsBefore('worker-1')
  })

  test('the master is as before, and a second reset finds nothing', async () => {
    const { stdout } = await succeed('master-1', RESET)
    expect(stdout).toContain('master-1 is as it was before edgeadm: nothing is left.')
    await expectAsBefore('master-1')
    expect((await succeed('master-1', RESET)).stdout).toContain('edgeadm has changed nothing')
    await expectAsBefore('master-1')
    const reports = await lab.run('master-1', ['sh', '-c', 'cat /var/log/edgeadm/reset-report-*.json'])
    expect(JSON.parse(reports)).toMatchObject({ clean: true, residue: [], node: 'master-1' })
  })
})

describe('of an init that was killed', () => {
  test.each(['package', 'runtime/images', 'certs', 'wait-control-plane', 'addon'])(
    'in its phase %s',
    async (name) => {
      await stopAt('master-1', INIT, phaseStarts(name))
      await succeed('master-1', RESET)
      await expectAsBefore('master-1')
    },
  )
})

/** True at the change of this number that puts something back. */
function afterRestoring(count: number): (event: Event) => boolean {
  let changes = 0
  return (event) => {
    if (event.type === 'change' && event.phase === 'node/restore') changes += 1
    return changes === count
  }
}

describe('interrupted', () => {
  test('by kill -9 and by Ctrl-C goes on when it is run again', async () => {
    await succeed('master-1', INIT)
    await stopAt('master-1', RESET, phaseStarts('cleanup-node'))
    const interrupted = await stopAt('master-1', RESET, afterRestoring(20), 'INT')
    expect(interrupted.exitCode).toBe(130)
    expect(interrupted.stdout).toContain('run `edgeadm reset` again to go on')
    await stopAt('master-1', RESET, afterRestoring(20))
    await succeed('master-1', RESET)
    await expectAsBefore('master-1')
  })

  test('and what does not go is named; the next reset goes on there', async () => {
    await succeed('master-1', INIT)
    await lab.run('master-1', ['mkdir', '/opt/cni/bin/theirs'])
    const result = await lab.probe('master-1', RESET)
    expect(result.exitCode).toBe(9)
    expect(result.stderr).toContain('/opt/cni/bin: not empty: theirs')
    await lab.run('master-1', ['rmdir', '/opt/cni/bin/theirs'])
    await succeed('master-1', RESET)
    await expectAsBefore('master-1')
  })
})

describe("where a containerd of the user's runs", () => {
  const QUESTION = [
    'systemctl show --property=MainPID,ActiveEnterTimestamp containerd',
    'ctr --namespace k8s.io images list --quiet',
    'ctr --namespace k8s.io containers list --quiet',
    'ctr --namespace k8s.io snapshots list',
  ].join(' && ')
  /** Its own store and the directories that it makes for its first container are its own. */
  const stateOfUser = async (): Promise<MachineState> => {
    const { sections, files } = await machineState(lab, 'worker-1')
    const run = (sections['/run'] ?? '').replace(/^\/run\/containerd\/.*\n/gm, '')
    return {
      sections: { ...sections, '/run': run },
      files: files.filter((line) => !line.includes(' /var/lib/containerd')),
    }
  }
  const ask = (): Promise<string> => lab.run('worker-1', ['sh', '-c', QUESTION])

  test('init uses it, and reset leaves it running with the images it had', async () => {
    const unpacked = await mkdtemp(join(tmpdir(), 'edgeadm-test-'))
    const root = machinePaths(lab.name, 'worker-1').root
    await unpackPackage(PACKAGE, unpacked, {
      ...reporting,
      select: ({ path }) => path.startsWith('container/'),
    })
    await cp(join(unpacked, 'container'), join(root, 'usr/bin'), { recursive: true })
    await rm(unpacked, { recursive: true })
    await lab.run('worker-1', ['bash', '-s'], { input: PLANT_CONTAINERD })
    const state = await stateOfUser()
    const containerd = await ask()

    const { stderr } = await succeed('worker-1', INIT)
    expect(stderr).toMatch(/\[runtime\/containerd\] skipped: containerd \S+ of this machine is kept/)
    expect(await ask()).not.toBe(containerd)
    await succeed('worker-1', RESET)
    expect(await ask()).toBe(containerd)
    expect(await stateOfUser()).toEqual(state)
  })
})

/** Whether a unit of somebody else with this line lives on. */
const THEIR_UNIT = `[Unit]
Requires=network-online.target
After=network-online.target
[Service]
ExecStart=/bin/sleep infinity
`

describe('what others changed since', () => {
  const run = (script: string): Promise<string> => lab.run('master-1', ['sh', '-ec', script])

  test('stays and is named; what kubeadm empties comes back', async () => {
    await run(`rm -f /root/.kube/config; mkdir -p /var/lib/kubelet; echo '{"auths":{}}' >/var/lib/kubelet/config.json
      cat >/etc/systemd/system/theirs.service <<'UNIT'\n${THEIR_UNIT}UNIT
      systemctl daemon-reload; systemctl start theirs.service`)
    const pid = await run('systemctl show --value --property=MainPID theirs.service')
    await succeed('master-1', INIT)
    await run(`unset KUBECONFIG # which the lab sets
      kubectl config set-cluster prod --server=https://prod:6443
      kubectl config set-context prod --cluster=prod
      echo '# proxy' >>/etc/containerd/config.toml
      echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/90-theirs.conf`)
    const { stdout, stderr } = await succeed('master-1', RESET)
    for (const what of ['/root/.kube/config', '/etc/containerd/config.toml', 'sysctl net.ipv4.ip_forward']) {
      expect(stdout).toContain(what)
      expect(stderr).toContain(`${what}: it stays`)
    }
    const kubeconfig = await run('cat /root/.kube/config')
    expect(kubeconfig).toContain('https://prod:6443')
    expect(kubeconfig).not.toContain('kubernetes-admin')
    expect(await run('cat /proc/sys/net/ipv4/ip_forward')).toBe('1')
    expect(await run('cat /var/lib/kubelet/config.json')).toContain('auths')
    expect(await run('systemctl show --value --property=MainPID theirs.service')).toBe(pid)
    expect((await succeed('master-1', RESET)).stdout).toContain('edgeadm has changed nothing')
  })
})
