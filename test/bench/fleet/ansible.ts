/** The same preparation with Ansible: 50 forks, pipelining, one connection per host that is kept. */

import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LightFleet } from '../../fleet/light-machine.ts'
import type { BenchHost } from './fleet.ts'
import type { BenchPackage } from './package.ts'

const run = promisify(execFile)

export const ansibleVersion = async (): Promise<string> =>
  (await run('ansible-playbook', ['--version'])).stdout.split('\n')[0] ?? ''

/** @returns seconds, and the processor time of Ansible itself and its ssh */
export async function prepareWithAnsible(
  fleet: LightFleet,
  hosts: readonly BenchHost[],
  { path, sha256, filesDirectory }: BenchPackage,
): Promise<{ readonly seconds: number; readonly busy: number }> {
  const directory = join(fleet.directory, 'ansible')
  mkdirSync(directory, { recursive: true })
  cpSync(
    fileURLToPath(new URL('preparation/playbook.yaml', import.meta.url)),
    join(directory, 'playbook.yaml'),
  )
  cpSync(filesDirectory, join(directory, 'files'), { recursive: true })
  const known = join(directory, 'known_hosts')
  writeFileSync(known, hosts.map(({ address, port }) => `[${address}]:${port} ${fleet.hostKey}\n`).join(''))
  const inventory = join(directory, 'hosts')
  writeFileSync(
    inventory,
    [
      ...hosts.map(({ name, address, port }) => `${name} ansible_host=${address} ansible_port=${port}`),
      '[all:vars]',
      'ansible_user=root',
      `ansible_ssh_private_key_file=${fleet.identityFile}`,
      'ansible_python_interpreter=/usr/bin/python3',
      `package=${path}`,
      `package_sha256=${sha256}`,
      '',
    ].join('\n'),
  )
  writeFileSync(
    join(directory, 'ansible.cfg'),
    [
      '[defaults]',
      'forks = 50',
      'retry_files_enabled = false',
      `local_tmp = ${join(directory, 'tmp')}`,
      '[ssh_connection]',
      'pipelining = true',
      `ssh_args = -F none -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${known} -o IdentitiesOnly=yes`,
      `control_path_dir = ${join(directory, 'cp')}`,
      '',
    ].join('\n'),
  )
  const figures = join(directory, 'time')
  const words = ['-o', figures, '-f', '%U %S', 'ansible-playbook', '-i', inventory, 'playbook.yaml']
  const begun = performance.now()
  const { stdout } = await run('/usr/bin/time', words, {
    cwd: directory,
    env: { ...process.env, ANSIBLE_CONFIG: join(directory, 'ansible.cfg'), SSH_AUTH_SOCK: '' },
    maxBuffer: 1 << 30,
  }).catch((error) => {
    throw new Error(`ansible-playbook failed:\n${String(error.stdout).slice(-3000)}\n${error.stderr}`)
  })
  const seconds = (performance.now() - begun) / 1000
  const good = [...stdout.matchAll(/unreachable=0\s+failed=0/g)].length
  if (good !== hosts.length) throw new Error(`Ansible prepared ${good} of ${hosts.length} hosts:\n${stdout}`)
  const [user = 0, system = 0] = readFileSync(figures, 'utf8').trim().split(' ').map(Number)
  return { seconds, busy: user + system }
}
