/** What one needs to find out why a test on machines failed. */

import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { probe } from '../../src/lab/command.ts'
import { machinePaths, probeInMachine, readLab } from '../../src/lab/index.ts'
import { runningMachine } from '../../src/lab/running.ts'

/** Commands whose output shows a running machine's state. */
const STATE: Readonly<Record<string, string>> = {
  'processes.txt': 'ps -ef --forest',
  'network.txt': 'ip -d addr; ip route; ss -tlnp',
  'units.txt': 'systemctl --no-pager --failed; systemctl --no-pager status containerd kubelet edgecore',
  'cluster.txt':
    'test -e /etc/kubernetes/admin.conf || exit 0; kubectl get nodes,pods -A -o wide --request-timeout=5s; kubectl get events -A --request-timeout=5s',
}

/** Journals, logs of containers and of edgeadm, per machine. Returns the folder, made afresh. */
export async function collectLogs(lab: string, test: string): Promise<string> {
  const directory = resolve('test-logs', test.replace(/[^\w.-]+/g, '-').slice(0, 80))
  await rm(directory, { recursive: true, force: true })
  for (const { name } of (await readLab(lab)).machines) {
    const target = join(directory, name)
    const { root, console: consoleLog } = machinePaths(lab, name)
    await mkdir(target, { recursive: true })
    const journal = await probe('journalctl', ['--no-pager', `--directory=${root}/var/log/journal`])
    await writeFile(join(target, 'journal.txt'), journal.stdout + journal.stderr)
    await copyIfThere(consoleLog, join(target, 'console.log'))
    await copyIfThere(`${root}/var/log/pods`, join(target, 'pods'))
    await copyIfThere(`${root}/var/log/edgeadm`, join(target, 'edgeadm'))
    if (await runningMachine(lab, name)) await collectState(lab, name, target)
  }
  return directory
}

async function collectState(lab: string, machine: string, target: string): Promise<void> {
  for (const [file, command] of Object.entries(STATE)) {
    const { stdout, stderr } = await probeInMachine(lab, machine, ['sh', '-c', command], { timeout: 20_000 })
    await writeFile(join(target, file), stdout + stderr)
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await cp(from, to, { recursive: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
