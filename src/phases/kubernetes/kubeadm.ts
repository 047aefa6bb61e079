/** kubeadm's own phases as phases of edgeadm, made from the one table: same names, same order, kubeadm as sub-process. */

import { phaseCommand } from '../../kubernetes/kubeadm-command.ts'
import { type KubeadmPhase, kubeadmPhases } from '../../kubernetes/kubeadm-phases.ts'
import { KUBEADM } from '../../kubernetes/kubectl.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { ADMIN_CONF, KUBEADM_CONFIG, KUBEADM_ENV, KUBELET_CONF, type NodeContext } from '../context.ts'
import { unlessHopeless } from '../diagnose/hopeless.ts'
import { diagnose } from '../diagnose/index.ts'
import type { Phase } from '../workflow.ts'
import { holdsSomething, removeTornFiles } from './torn-files.ts'

/** What stands when a phase is done, where a file tells; the others are taken on the journal's word. */
const EVIDENCE: Readonly<Record<string, string>> = {
  kubeconfig: ADMIN_CONF,
  etcd: '/etc/kubernetes/manifests/etcd.yaml',
  'control-plane/apiserver': '/etc/kubernetes/manifests/kube-apiserver.yaml',
  'control-plane/controller-manager': '/etc/kubernetes/manifests/kube-controller-manager.yaml',
  'control-plane/scheduler': '/etc/kubernetes/manifests/kube-scheduler.yaml',
  'kubelet-start': '/var/lib/kubelet/config.yaml',
}

/** The newest table serves as the list of names; a phase that the target's kubeadm lacks is left out when it runs. */
const NEWEST = 'v1.99.0'

/** The phase of this name, or one part of it (`control-plane/apiserver`). @param extra conditions and so on, over what the table says */
export function kubeadm<C extends NodeContext>(
  workflow: 'init' | 'join',
  name: string,
  extra: Partial<Phase<C>> = {},
): Phase<C> {
  const entry = phaseOf(workflow, name, NEWEST)
  if (entry === undefined) throw new EdgeadmError('internal', `kubeadm ${workflow} has no phase ${name}`)
  const children = (entry.children ?? []).map((child) => child.name.slice(name.length + 1))
  return {
    name,
    title: entry.title,
    ...(children.length === 0 ? {} : { children }),
    runIf: ({ settings }) =>
      phaseOf(workflow, name, settings.kubernetesVersion) !== undefined || 'this kubeadm has no such phase',
    verify: async ({ host, settings }) => {
      const file =
        name === 'certs' && settings.command === 'init' ? `${settings.certDir}/sa.key` : EVIDENCE[name]
      return file === undefined || holdsSomething(await host.readFile(file))
    },
    run: async (ctx) => {
      if (ctx.wasCutOff === true) await removeTornFiles(ctx)
      // From here on kubeadm makes a node, and the ledger says that edgeadm ran it: reset goes by this alone.
      if (name !== 'preflight') await ctx.host.claim(KUBELET_CONF, { quiet: true })
      for (const part of partsToRun(ctx, workflow, name)) await runKubeadm(ctx, workflow, part)
    },
    ...extra,
  }
}

function phaseOf(workflow: 'init' | 'join', name: string, version: string): KubeadmPhase | undefined {
  return kubeadmPhases(workflow, version)
    .flatMap((one) => [one, ...(one.children ?? [])])
    .find((one) => one.name === name)
}

/** The whole phase, or the children that were not skipped. */
function partsToRun(ctx: NodeContext, workflow: 'init' | 'join', name: string): string[] {
  const children = (phaseOf(workflow, name, ctx.settings.kubernetesVersion)?.children ?? []).map(
    (child) => child.name,
  )
  return children.some((child) => ctx.skips(child)) ? children.filter((child) => !ctx.skips(child)) : [name]
}

/** Phases of kubeadm that wait for what the kubelet starts. */
const WAITS = [
  'wait-control-plane',
  'kubelet-wait-bootstrap',
  'kubelet-start',
  'etcd-join',
  'control-plane-join',
]

async function runKubeadm(ctx: NodeContext, workflow: 'init' | 'join', part: string): Promise<void> {
  const { host, settings, emit } = ctx
  const options = {
    kubernetesVersion: settings.kubernetesVersion,
    configFile: ctx.kubeadmConfig ?? KUBEADM_CONFIG,
  }
  const run = async (signal?: AbortSignal): Promise<void> => {
    const { stdout, stderr } = await host.run(KUBEADM, phaseCommand(workflow, part, options), {
      title: `kubeadm ${workflow} phase ${part}`,
      undo: null,
      env: KUBEADM_ENV,
      onLine: (text) => emit({ type: 'output', text }),
      ...(signal === undefined ? {} : { signal }),
    })
    if (`${stdout}${stderr}` === '' && !settings.dryRun) await requireRealKubeadm(host)
  }
  try {
    await (WAITS.includes(part.split('/')[0] ?? part) && !settings.dryRun ? unlessHopeless(ctx, run) : run())
  } catch (error) {
    if (!(error instanceof EdgeadmError) || error.class !== 'phase' || error.fix !== undefined) throw error
    throw new EdgeadmError('phase', `kubeadm failed in its phase ${part}`, {
      // kubeadm's checks name the cause themselves; everything later fails by what runs on the machine.
      details: [...essence(error.details), ...(part === 'preflight' ? [] : await diagnose(host))],
      fix: `mend the cause and run \`edgeadm ${workflow}\` again: it goes on at this phase; \`edgeadm reset\` goes back`,
      cause: error,
    })
  }
}

/** The shell runs a file of no bytes without an error, and that is what a power cut may leave of a program. */
async function requireRealKubeadm(host: NodeContext['host']): Promise<void> {
  const path = KUBEADM
  const { stdout } = await host.probe(path, ['version', '-o', 'short'], { env: KUBEADM_ENV })
  if (/^v\d+\.\d+/.test(stdout)) return
  throw new EdgeadmError('phase', `${path} does not say its version: it is empty or damaged`, {
    fix: 'remove it and run the same command with --install-pkg-path again: it is installed anew',
  })
}

/** kubeadm's errors without its frame: "[ERROR Name]: …" and "error: …" lines, else the last lines it wrote. */
function essence(lines: readonly string[]): string[] {
  const telling = lines.map((line) => line.trim()).filter((line) => /^(\[ERROR |error)/.test(line))
  return telling.length > 0 ? telling : lines.slice(-8)
}
