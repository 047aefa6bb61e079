/** What the tests of high availability measure with. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { networkNamespace } from '../../src/lab/index.ts'
import type { ClientReport } from './ha-client.ts'
import type { TestLab } from './machines.ts'

const CLIENT = fileURLToPath(new URL('ha-client.ts', import.meta.url))

/** Runs a client of the API in the lab's network while `work` is done, and resolves with what it met. */
export async function withClient(
  lab: TestLab,
  watches: number,
  work: () => Promise<void>,
): Promise<ClientReport> {
  const directory = await mkdtemp(join(tmpdir(), 'edgeadm-ha-'))
  const kubeconfig = join(directory, 'kubeconfig')
  try {
    await writeFile(kubeconfig, await lab.run('master-1', ['cat', '/etc/kubernetes/admin.conf']), {
      mode: 0o600,
    })
    const client = execa(
      'ip',
      ['netns', 'exec', networkNamespace(lab.name), process.execPath, CLIENT, kubeconfig, String(watches)],
      { stdin: 'pipe', reject: false },
    )
    await new Promise<void>((resolve, reject) => {
      client.stdout?.once('data', () => resolve())
      client.then(({ stderr }) => reject(new Error(`the client ended: ${stderr}`)), reject)
    })
    try {
      await work()
    } finally {
      client.stdin?.end()
    }
    const { stdout, stderr } = await client
    const line = stdout.split('\n').at(-1) ?? ''
    if (!line.startsWith('{')) throw new Error(`the client said: ${stdout}\n${stderr}`)
    return JSON.parse(line) as ClientReport
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** The machines among these that hold the address now. */
export async function holders(lab: TestLab, machines: readonly string[], address: string): Promise<string[]> {
  const found = await Promise.all(
    machines.map(async (machine) => {
      const { stdout } = await lab.probe(machine, ['ip', '-o', '-4', 'addr', 'show'])
      return stdout.includes(` ${address}/`) ? [machine] : []
    }),
  )
  return found.flat()
}

export interface Possession {
  readonly machine: string
  /** Milliseconds. */
  readonly from: number
  readonly to: number
}

/** Watches who holds the address while `work` is done. The kernel itself tells when it comes and goes. */
export async function withWatchedAddress(
  lab: TestLab,
  machines: readonly string[],
  address: string,
  work: () => Promise<void>,
): Promise<Possession[]> {
  const unit = 'test-address-events'
  const file = `/run/${unit}`
  const command = `exec ip -ts -o monitor address >${file}`
  const first = await holders(lab, machines, address)
  await Promise.all(
    machines.map((machine) =>
      lab.run(machine, ['systemd-run', '--quiet', `--unit=${unit}`, 'sh', '-c', command]),
    ),
  )
  await work()
  const found: Possession[] = []
  for (const machine of machines) {
    await lab.run(machine, ['systemctl', 'stop', unit])
    const events = await lab.run(machine, ['cat', file])
    found.push(
      ...possessions(
        machine,
        events.split('\n').filter((line) => line.includes(` ${address}/`)),
        first,
      ),
    )
  }
  return found
}

function possessions(machine: string, events: readonly string[], first: readonly string[]): Possession[] {
  const found: Possession[] = []
  let since = first.includes(machine) ? Number.NEGATIVE_INFINITY : undefined
  for (const line of events) {
    const time = Date.parse(`${/^\[([^\]]+)\]/.exec(line)?.[1]}Z`)
    if (Number.isNaN(time)) throw new Error(`an event without a time: ${line}`)
    if (!line.includes('Deleted')) since ??= time
    else if (since !== undefined) {
      found.push({ machine, from: since, to: time })
      since = undefined
    }
  }
  return since === undefined ? found : [...found, { machine, from: since, to: Number.POSITIVE_INFINITY }]
}

/** The longest time, in milliseconds, that two machines held it at once. */
export function longestOverlap(all: readonly Possession[]): number {
  const overlaps = all.flatMap((one, index) =>
    all
      .slice(index + 1)
      .filter((other) => other.machine !== one.machine)
      .map((other) => Math.min(one.to, other.to) - Math.max(one.from, other.from)),
  )
  return Math.max(0, ...overlaps)
}

/** Names of etcd's members, sorted. */
export async function membersOfEtcd(lab: TestLab, machine: string, pki: string): Promise<string[]> {
  const { members } = (await askEtcd(lab, machine, pki, 'list', {})) as { members: { name?: string }[] }
  return members.map(({ name = '' }) => name).sort()
}

/** etcd's own interface for members: list, add, remove. */
export async function askEtcd(
  lab: TestLab,
  machine: string,
  pki: string,
  verb: string,
  body: object,
): Promise<unknown> {
  const answer = await lab.run(machine, [
    ...['curl', '-s', '--cacert', `${pki}/ca.crt`, '--cert', `${pki}/peer.crt`, '--key', `${pki}/peer.key`],
    ...['-d', JSON.stringify(body), `https://127.0.0.1:2379/v3/cluster/member/${verb}`],
  ])
  return JSON.parse(answer)
}
