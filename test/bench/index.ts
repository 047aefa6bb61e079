/**
 * `npm run bench`: edgeadm against the same steps by hand, in one run, on fresh machines. What counts is the ratio: the
 * seconds are this host's. Prints a Markdown table for docs/performance.md.
 */

import { PACKAGE_IN_MACHINE, prepareByHand, timed, withLab } from './machines.ts'
import { benchUnpack } from './unpack.ts'

/** Pairs of runs per figure; the medians are compared. */
const ROUNDS = Number(process.env.EDGEADM_BENCH_ROUNDS ?? 3)

const INIT = [
  'edgeadm',
  'init',
  `--install-pkg-path=${PACKAGE_IN_MACHINE}`,
  '--config=/root/cluster.yaml',
  '--enable-edge=false',
]
const rows: string[] = []

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** The words after "edgeadm" of the line that init printed. */
function joinWords(stdout: string): string[] {
  return (
    /edgeadm (join \S+ --token \S+ --discovery-token-ca-cert-hash \S+)/.exec(stdout)?.[1]?.split(' ') ?? []
  )
}

function row(what: string, edgeadm: number, other: number, against: string, goal: string): void {
  rows.push(
    `| ${what} | ${edgeadm.toFixed(1)} s | ${other.toFixed(1)} s (${against}) | ${(edgeadm / other).toFixed(2)}x | ${goal} |`,
  )
  console.error(rows.at(-1))
}

const by = {
  init: { edgeadm: [] as number[], hand: [] as number[] },
  join: { edgeadm: [] as number[], hand: [] as number[] },
}
const edge = { edgeadm: [] as number[], hand: [] as number[] }
const silent: number[] = []
const again: number[] = []

for (let round = 1; round <= ROUNDS; round += 1) {
  await withLab({ masters: 1, workers: 1, edges: 0 }, async (lab) => {
    const init = await timed(lab, 'master-1', INIT)
    by.init.edgeadm.push(init.seconds)
    const line = joinWords(init.stdout)
    const join = await timed(lab, 'worker-1', [
      'edgeadm',
      ...line,
      `--install-pkg-path=${PACKAGE_IN_MACHINE}`,
      '--enable-edge=false',
    ])
    by.join.edgeadm.push(join.seconds)
    again.push((await timed(lab, 'master-1', INIT)).seconds)
  })
  await withLab({ masters: 1, workers: 1, edges: 0 }, async (lab) => {
    for (const machine of ['master-1', 'worker-1']) prepareByHand(lab, machine)
    by.init.hand.push(
      (await timed(lab, 'master-1', ['bash', '/root/by-hand/master.sh', PACKAGE_IN_MACHINE])).seconds,
    )
    const token = await timed(lab, 'master-1', ['kubeadm', 'token', 'create', '--print-join-command'])
    const words = token.stdout.trim().split(/\s+/).slice(2)
    by.join.hand.push(
      (await timed(lab, 'worker-1', ['bash', '/root/by-hand/worker.sh', PACKAGE_IN_MACHINE, ...words]))
        .seconds,
    )
  })
  await withLab({ masters: 1, workers: 0, edges: 2 }, async (lab) => {
    const init = await timed(lab, 'master-1', [...INIT.slice(0, -1), '--enable-edge'])
    const line = joinWords(init.stdout)
    const config = ['--config=/root/cluster.yaml', '--metaserver=plain']
    const join = [...line, `--install-pkg-path=${PACKAGE_IN_MACHINE}`, ...config]
    edge.edgeadm.push((await timed(lab, 'edge-1', ['edgeadm', ...join])).seconds)
    prepareByHand(lab, 'edge-2')
    const secret = ['get', 'secret', '-n', 'kubeedge', 'tokensecret', '-o', 'jsonpath={.data.tokendata}']
    const token = Buffer.from(
      (await timed(lab, 'master-1', ['kubectl', ...secret])).stdout,
      'base64',
    ).toString()
    const byHand = ['bash', '/root/by-hand/edge.sh', PACKAGE_IN_MACHINE, '10.123.0.11', token]
    const started = await timed(lab, 'edge-2', byHand)
    // It answers before the node is registered; kubectl does not wait for what is not there yet.
    const wait = 'until kubectl wait --for=condition=Ready node/edge-2 --timeout=240s; do sleep 0.2; done'
    const ready = ['timeout', '240', 'sh', '-c', wait]
    edge.hand.push(started.seconds + (await timed(lab, 'master-1', ready)).seconds)
  })
  await withLab({ masters: 1, workers: 0, edges: 0, resolver: 'silent' }, async (lab) => {
    silent.push((await timed(lab, 'master-1', INIT)).seconds)
  })
}
const seconds: readonly (readonly [
  what: string,
  edgeadm: number[],
  other: number[],
  against: string,
  goal: string,
])[] = [
  ['`init`, bare machine to Ready', by.init.edgeadm, by.init.hand, 'by hand', '1.0x, later 0.9x'],
  ['`join` of a worker, bare machine to Ready', by.join.edgeadm, by.join.hand, 'by hand', '1.0x'],
  ['`init` where the resolver does not answer', silent, by.init.edgeadm, 'where none is set', '1.1x'],
  ['`join` of an edge node, bare machine to Ready', edge.edgeadm, edge.hand, 'by hand, edgecore alone', ''],
]
for (const [what, edgeadm, other, against, goal] of seconds)
  row(what, median(edgeadm), median(other), against, goal)
const unpack = await benchUnpack()
row('unpack and verify the package', unpack.edgeadm, unpack.byHand, '`tar -x` and `sha256sum -c`', '1.0x')

console.log('| what | edgeadm | against | ratio | goal |\n| --- | --- | --- | --- | --- |')
console.log(rows.join('\n'))
console.log(
  `\nA second \`init\` on the finished master: ${median(again).toFixed(1)} s (goal: at most 3 s). Memory of \`package verify\`: ${Math.round(unpack.memory)} MiB (goal: at most 150 MiB).`,
)
