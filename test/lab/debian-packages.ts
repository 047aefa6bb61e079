import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../src/lab/command.ts'
import { machinePaths } from '../../src/lab/index.ts'
import { cacheDirectory } from '../../src/package/index.ts'
import type { TestLab } from './machines.ts'

const SCRIPT = fileURLToPath(new URL('install-debian.sh', import.meta.url))

/** Installs Debian packages in a machine that runs; they are downloaded once and kept in the user's cache. */
export async function installDebian(
  lab: TestLab,
  machine: string,
  packages: readonly string[],
): Promise<void> {
  const cache = join(cacheDirectory(), 'test-debian', packages.join('_'))
  await run('unshare', [
    ...['--mount', '--pid', '--fork', '--kill-child', 'sh', SCRIPT],
    ...[machinePaths(lab.name, machine).root, cache, ...packages],
  ])
  await lab.run(machine, ['systemctl', 'daemon-reload'])
  await lab.run(machine, ['systemctl', 'reload', 'dbus'])
}
