import type { NodeContext } from '../context.ts'
import type { Phase } from '../workflow.ts'
import { bootSwaps } from './swap-units.ts'

const FSTAB = '/etc/fstab'
const MARK = '# edgeadm: '

/** Swap devices and files in use, from the text of /proc/swaps (proc(5)). */
function activeSwaps(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? '')
    .filter((name) => name !== '')
}

/** The file with its swap lines commented out. */
export function withoutSwap(fstab: string): string {
  return fstab
    .split('\n')
    .map((line) => (/^\s*[^#\s]\S*\s+\S+\s+swap(\s|$)/.test(line) ? `${MARK}${line}` : line))
    .join('\n')
}

/** The kubelet's own setting decides: with `failSwapOn: false` swap is the user's choice and stays. */
function isSwapWanted({ settings }: NodeContext): boolean {
  return settings.documents.KubeletConfiguration?.failSwapOn === false
}

export const swap: Phase<NodeContext> = {
  name: 'node/swap',
  title: 'Turn swap off',
  runIf: async (ctx) => {
    if (isSwapWanted(ctx)) return 'the kubelet is configured to run with swap (failSwapOn: false)'
    const fstab = (await ctx.host.readFile(FSTAB)) ?? ''
    const active = activeSwaps((await ctx.host.readFile('/proc/swaps')) ?? '')
    const some = active.length > 0 || withoutSwap(fstab) !== fstab || (await bootSwaps(ctx.host)).length > 0
    return some ? true : 'there is no swap'
  },
  run: async ({ host, emit }) => {
    const fstab = await host.readFile(FSTAB)
    if (fstab !== undefined) await host.writeFile(FSTAB, withoutSwap(fstab))
    for (const { unit, by } of await bootSwaps(host)) {
      // A generator makes its unit at each boot; /etc comes before it (systemd.unit(5), "Unit File Load Path").
      if (by === 'generator') await host.link(`/etc/systemd/system/${unit}`, '/dev/null')
      else await host.service(unit, { enabled: false, active: false })
      emit({ type: 'output', text: `[swap] ${unit} no longer turns swap on at boot` })
    }
    for (const name of activeSwaps((await host.readFile('/proc/swaps')) ?? '')) {
      await host.run('swapoff', [name], {
        title: `turn off swap on ${name}`,
        undo: {
          file: 'swapon',
          args: [name],
          unless: { file: 'grep', args: ['-qF', `${name} `, '/proc/swaps'] },
        },
      })
      emit({ type: 'output', text: `[swap] turned off ${name}` })
    }
  },
}
