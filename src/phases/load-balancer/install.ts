import { DEFAULT_CERT_DIR } from '../../config/resolve-common.ts'
import { STREAM_PORT } from '../../kubeedge/cluster-facts.ts'
import { KUBECTL } from '../../kubernetes/kubectl.ts'
import { staticPodFlags } from '../../kubernetes/static-pod.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { PackageManifest } from '../../package/index.ts'
import { render } from '../../templates.ts'
import { INSTALLED_PACKAGE, isControlPlane, type NodeContext } from '../context.ts'
import { activeFirewall, openPorts } from '../node/firewall-ports.ts'
import { ctrPath } from '../runtime/images.ts'
import { templateFile } from '../template-file.ts'
import type { Phase } from '../workflow.ts'
import { checkLoadBalancer, checkMachine, interfaceFor } from './checks.ts'
import { apiServer, readEndpoint, wantedEndpoint } from './cluster-endpoint.ts'
import { DIRECTORY, HEALTH_PORT, KEEPALIVED_CONF, PODS, SCRIPT } from './files.ts'
import { chooseByListening } from './listen.ts'
import type { VirtualEndpoint } from './virtual-endpoint.ts'
import { priorityOf } from './vrrp.ts'

/**
 * haproxy and keepalived as static Pods. On init they are put there while the API server starts, with this master alone
 * in their lists; on join, when the new API server answers.
 */
export const installLoadBalancer: Phase<NodeContext> = {
  name: 'load-balancer/install',
  title: 'Install haproxy and keepalived',
  runIf: async (ctx) => {
    const { settings, host } = ctx
    if (!isControlPlane(settings)) return 'only on masters'
    if (settings.command === 'init')
      return settings.ha.mode === 'haproxy-keepalived' ? true : `--ha=${settings.ha.mode}`
    if (settings.dryRun) return 'the cluster says it, once it is joined'
    return (await readEndpoint(host)) === undefined ? 'this cluster has no balancer of its own' : true
  },
  inputs: ({ settings }) => [settings.command === 'init' ? settings.controlPlaneEndpoint : '', settings.ha],
  verify: async ({ host }) => (await host.stat(PODS.keepalived)) !== undefined,
  run: async (ctx) => {
    const { host, settings } = ctx
    const endpoint = await wantedEndpoint(ctx)
    await refuseProblems(ctx, endpoint)
    const images = await imageNames(ctx)
    const found = await interfaceFor(ctx, endpoint.address)
    if ('problem' in found) throw new EdgeadmError('preflight', found.problem)
    const ownAddress = found.address
    const virtualRouterId =
      endpoint.virtualRouterId ??
      (settings.dryRun
        ? (settings.ha.virtualRouterId ?? 1)
        : await chooseByListening(ctx, {
            image: images.keepalived,
            ownAddress,
            virtualAddress: endpoint.address,
            wanted: settings.ha.virtualRouterId,
          }))
    const port = { port: String(endpoint.port), protocol: 'tcp', what: 'control plane endpoint' } as const
    await openPorts(host, ownAddress, [port])

    // A master that joins has the directory that the cluster was made with.
    const ca =
      settings.command === 'init'
        ? `${settings.certDir}/ca.crt`
        : ((await staticPodFlags(host, 'kube-apiserver'))?.get('client-ca-file') ??
          `${DEFAULT_CERT_DIR}/ca.crt`)
    const data = {
      directory: DIRECTORY,
      name: settings.node.name,
      address: ownAddress,
      virtualAddress: endpoint.address,
      family: endpoint.address.includes(':') ? 6 : 4,
      port: endpoint.port,
      healthPort: HEALTH_PORT,
      streamPort: STREAM_PORT,
      interface: found.name,
      virtualRouterId,
      priority: priorityOf(ownAddress),
      ca,
      kubectl: KUBECTL,
      ctr: await ctrPath(host),
      ownApiServer: `https://${apiServer(ctx)}`,
      firewall: await activeFirewall(host),
      localEtcd: (await host.stat('/etc/kubernetes/manifests/etcd.yaml')) !== undefined,
    }
    await writeFiles(ctx, data)
    // The kubelet reads a manifest the moment it is there: they come last, and keepalived, which needs haproxy, at the end.
    for (const name of ['haproxy', 'keepalived'] as const) {
      const image = images[name]
      await host.writeFile(PODS[name], render(`load-balancer/${name}.yaml`, { ...data, image }), {
        mode: 0o600,
      })
    }
  },
}

/** Everything but the Pods. When they run already, they are told to read it again. */
async function writeFiles(ctx: NodeContext, data: Readonly<Record<string, unknown>>): Promise<void> {
  const { host, settings } = ctx
  await host.claim(DIRECTORY)
  await host.makeDirectory(DIRECTORY)
  const files = [
    [`${DIRECTORY}/haproxy.cfg`, 'haproxy.cfg', 0o644],
    [KEEPALIVED_CONF, 'keepalived.conf', 0o644],
    [`${DIRECTORY}/check-health`, 'check-health', 0o755],
    [SCRIPT, 'follow-masters', 0o755],
  ] as const
  let changed = false
  for (const [path, name, mode] of files)
    changed = (await templateFile(host, path, `load-balancer/${name}`, data, { mode })) || changed
  if ((await host.stat(PODS.keepalived)) !== undefined) {
    if (changed) await host.run(SCRIPT, ['reload'], { title: 'reload haproxy and keepalived', undo: null })
    return
  }
  await host.run(SCRIPT, ['write'], {
    title: 'write the lists of masters',
    undo: { file: SCRIPT, args: ['close'] },
    input: `${settings.node.name} ${apiServer(ctx)}\n`,
  })
}

/** `init phase load-balancer` comes without the checks that init begins with. */
async function refuseProblems(ctx: NodeContext, endpoint: VirtualEndpoint): Promise<void> {
  // Once the cluster has it, another master holds the address, as it should.
  const problems = await (endpoint.virtualRouterId === undefined
    ? checkLoadBalancer(ctx)
    : checkMachine(ctx, endpoint))
  if (problems.length === 0) return
  throw new EdgeadmError('preflight', 'this machine cannot carry the virtual address yet', {
    details: problems.map(({ check, text }) => `[ERROR ${check}]: ${text}`),
  })
}

async function imageNames({
  host,
  manifest,
}: NodeContext): Promise<Record<'haproxy' | 'keepalived', string>> {
  const installed = await host.readFile(INSTALLED_PACKAGE)
  const { images = [] } =
    manifest ?? (installed === undefined ? {} : (JSON.parse(installed) as Partial<PackageManifest>))
  const find = (name: string): string => {
    const found = images.find((image) => image.name.includes(`/${name}:`))?.name
    if (found !== undefined) return found
    throw new EdgeadmError('package', `there is no image of ${name}: no package was given, or it has none`, {
      fix: 'name a package that has it with --install-pkg-path, or balance the masters yourself with --ha=external',
    })
  }
  return { haproxy: find('haproxy'), keepalived: find('keepalived') }
}
