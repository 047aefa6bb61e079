/** The Kubernetes API as a Pod on edge-1 sees it: what it may it gets, what it may not is refused, as in the cloud. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { edgeLab } from './edge-lab.ts'
import { eventually } from './eventually.ts'
import type { TestLab } from './machines.ts'

const manifest = (name: string) => readFileSync(new URL(`manifests/${name}`, import.meta.url), 'utf8')

interface CoreDns {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { image: string }[] } }
  }
}

interface KubeProxy {
  readonly data: Readonly<Record<string, string>>
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { image: string }[]
        readonly volumes: readonly { readonly configMap?: object }[]
      }
    }
  }
}

/** edge-1 has joined with a secure MetaServer and has the image of test/lab/in-cluster. */
export function apiCases(lab: TestLab): void {
  const { kubectl } = edgeLab(lab)
  const apply = (text: string) => lab.run('master-1', ['kubectl', 'apply', '-f', '-'], { input: text })
  // A command that ends with an error breaks the tunnel of kubectl exec for a moment (KubeEdge 1.23): then it is asked again.
  const inPod = (...args: string[]) => exec(args)
  const exec = (args: readonly string[], options = {}) =>
    eventually(
      () =>
        lab.probe('master-1', ['kubectl', 'exec', '-i', 'reader', '--', '/host/kubectl', ...args], options),
      ({ stderr }) => !stderr.includes('error sending request'),
      30_000,
    )
  /** From the master to edge-1. */
  const giveImage = async (image: string) => {
    // Without --local containerd writes, and ctr may end before all of it is on standard output.
    const pack = `ctr -n k8s.io images export --local - ${image} | gzip -1 | base64 -w0`
    const archive = await lab.run('master-1', ['bash', '-o', 'pipefail', '-c', pack])
    await lab.run('edge-1', ['sh', '-c', 'base64 -d | gzip -d | ctr -n k8s.io images import -'], {
      input: archive,
    })
  }
  const sorted = (text: string) => text.trim().split('\n').sort()

  describe('a Pod on an edge node', () => {
    test('gets from kubectl what the cloud gets', async () => {
      const program = await lab.run('master-1', ['base64', '-w0', '/usr/local/bin/kubectl'])
      const put =
        'mkdir -p /run/edge-tools; base64 -d > /run/edge-tools/kubectl; chmod 755 /run/edge-tools/kubectl'
      await lab.run('edge-1', ['sh', '-c', put], { input: program })
      await apply(manifest('api-from-edge.yaml'))
      await kubectl('wait', '--for=condition=Ready', 'pod/reader', '--timeout=60s')
      // The output of `get` without -o is made by the API server (a table), that of -o name by kubectl.
      for (const form of [['-o', 'name'], ['--no-headers']])
        await eventually(
          async () => {
            const get = ['get', 'services,pods,deployments,configmaps', '-A', ...form]
            const seen = await inPod(...get)
            expect(seen.stderr).toBe('')
            // The age of young objects goes on.
            const ageless = (text: string) => sorted(text.replaceAll(/\s+\S+$/gm, ''))
            expect(ageless(seen.stdout)).toEqual(ageless(await kubectl(...get)))
            expect(seen.stdout).toMatch(/coredns/)
          },
          () => true,
          60_000,
        )
    })

    test('is refused what its account may not', async () => {
      const refused = await inPod('get', 'secrets', '-A')
      expect(refused.stderr).toContain(
        'secrets is forbidden: User "system:serviceaccount:default:reader" cannot list resource "secrets"',
      )
      const written = await inPod('delete', 'configmap', 'kube-root-ca.crt')
      expect(written.stderr).toMatch(
        /system:serviceaccount:default:reader.* cannot delete resource "configmaps"/,
      )
    })

    test('takes and renews a Lease with its own rights', async () => {
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'leader' } }
      const created = await exec(['create', '-f', '-'], { input: JSON.stringify(lease) })
      expect(created.stdout).toContain('created')
      const patch = ['patch', 'lease', 'leader', '--type=merge', '-p', '{"spec":{"holderIdentity":"reader"}}']
      expect((await inPod(...patch)).stdout).toContain('patched')
      expect(await kubectl('get', 'lease', 'leader', '-o', 'jsonpath={.spec.holderIdentity}')).toBe('reader')
    })

    test('sees new objects of a kind with an irregular plural', async () => {
      // With a flag like --request-timeout kubectl would not look for the Pod's own account.
      const get = [
        'exec',
        'reader',
        '--',
        '/host/kubectl',
        'get',
        'gateways.lab.edgeadm.io',
        '-w',
        '-o',
        'name',
      ]
      const watch = lab.probe('master-1', ['timeout', '12', 'kubectl', ...get])
      const ended = watch.then(() => true)
      let made = 0
      for (;;) {
        const gateway = {
          apiVersion: 'lab.edgeadm.io/v1',
          kind: 'Gateway',
          metadata: { name: `made-${made}` },
        }
        await apply(JSON.stringify(gateway))
        made += 1
        const delay = new Promise<false>((resolve) => setTimeout(() => resolve(false), 1000))
        if (await Promise.race([ended, delay])) break
      }
      // The first ones may have been listed; those that came while it watched are the test.
      expect((await watch).stdout).toContain(`/made-${Math.floor(made / 2)}`)
    })

    test('that is CoreDNS, with its kubernetes plugin and nothing changed, is ready', async () => {
      const text = await kubectl('-n', 'kube-system', 'get', 'deployment', 'coredns', '-o', 'json')
      const { spec } = (JSON.parse(text) as CoreDns).spec.template
      await giveImage(spec.containers[0]?.image ?? '')
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'coredns-edge', namespace: 'kube-system' },
        spec: { ...spec, affinity: {}, nodeName: 'edge-1', tolerations: [{ operator: 'Exists' }] },
      }
      await apply(JSON.stringify(pod))
      // Its plugin `ready` says so once the plugin `kubernetes` has its lists and watches.
      await kubectl('-n', 'kube-system', 'wait', '--for=condition=Ready', 'pod/coredns-edge', '--timeout=90s')
      await kubectl('-n', 'kube-system', 'delete', 'pod', 'coredns-edge', '--wait=false')
    })

    test('that is kube-proxy, unchanged, makes the rules of a Service that comes later', async () => {
      const get = async (kind: string) =>
        JSON.parse(await kubectl('-n', 'kube-system', 'get', kind, 'kube-proxy', '-o', 'json')) as KubeProxy
      const { spec } = (await get('daemonset')).spec.template
      await giveImage(spec.containers[0]?.image ?? '')
      const { data } = await get('configmap')
      // The one thing that a node of the cloud has otherwise: where the API is.
      const kubeconfig = data['kubeconfig.conf']?.replace(
        /server: \S+/,
        'server: https://169.254.30.10:10550',
      )
      const name = 'kube-proxy-edge'
      const metadata = { name, namespace: 'kube-system' }
      await apply(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata,
          data: { ...data, 'kubeconfig.conf': kubeconfig },
        }),
      )
      const volumes = spec.volumes.map((volume) =>
        volume.configMap === undefined ? volume : { ...volume, configMap: { name } },
      )
      // In a network of its own its rules go with it.
      const placed = { affinity: {}, nodeName: 'edge-1', hostNetwork: false, volumes }
      await apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...spec, ...placed } }))
      await kubectl('-n', 'kube-system', 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=90s')
      await apply(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'through-kube-proxy', namespace: 'default' },
          spec: {
            selector: { app: 'in-cluster' },
            internalTrafficPolicy: 'Local',
            ports: [{ port: 80, targetPort: 8080 }],
          },
        }),
      )
      const address = await kubectl(
        'get',
        'service',
        'through-kube-proxy',
        '-o',
        'jsonpath={.spec.clusterIP}',
      )
      const inside = 'nsenter -n -t "$(pgrep -xo kube-proxy)" curl -sS --max-time 5 "http://$1/"'
      await eventually(
        () => lab.run('edge-1', ['sh', '-c', inside, 'sh', address]),
        (answer) => answer.startsWith('served by in-cluster'),
        60_000,
      )
      await kubectl('-n', 'kube-system', 'delete', `pod/${name}`, `configmap/${name}`, '--wait=false')
      await kubectl('delete', 'service', 'through-kube-proxy')
    })

    test("another node's Pods' tokens and tokens of no Pod are refused", async () => {
      const ask = async (token: string) => {
        const curl = ['curl', '-sk', '-H', '@-', 'https://127.0.0.1:10550/api/v1/services']
        return (await lab.probe('edge-1', curl, { input: `Authorization: Bearer ${token}` })).stdout
      }
      const unbound = (await kubectl('create', 'token', 'in-cluster')).trim()
      expect(await ask(unbound)).toContain('"code":401')
      const select = ['-l', 'app=in-cluster', '--field-selector=spec.nodeName=edge-2', '-o', 'name']
      const pod = (await kubectl('get', 'pods', ...select)).trim().replace('pod/', '')
      const bound = ['--bound-object-kind=Pod', `--bound-object-name=${pod}`]
      const elsewhere = (await kubectl('create', 'token', 'in-cluster', ...bound)).trim()
      expect(await ask(elsewhere)).toContain('belongs to a Pod on another node than edge-1')
    })

    test('and all that it needs come to it, others change and go, while CloudCore restarts', async () => {
      await apply(manifest('mounted.yaml'))
      await kubectl('wait', '--for=condition=Ready', 'pod/mounted', '--timeout=60s')
      await kubectl('-n', 'kubeedge', 'delete', 'pod', '-l', 'kubeedge=cloudcore', '--wait=false')
      await apply(manifest('made-meanwhile.yaml'))
      const changed = JSON.stringify({ stringData: { value: 'after' } })
      await kubectl('patch', 'secret', 'mounted', '-p', changed)
      await kubectl('patch', 'configmap', 'mounted', '-p', changed.replace('stringData', 'data'))
      await kubectl('create', 'service', 'clusterip', 'made-while-it-restarts', '--tcp=80:80')
      await kubectl('delete', 'pod', 'reader', '--wait=false')
      await eventually(
        () => kubectl('logs', 'meanwhile', '--tail=40'),
        (log) =>
          log.includes('service default/kubernetes from https://169.254.30.10:10550') &&
          log.includes('service default/made-while-it-restarts'),
        90_000,
      )
      const uid = await kubectl('get', 'pod', 'mounted', '-o', 'jsonpath={.metadata.uid}')
      const files = `cat /var/lib/*/pods/${uid}/volumes/kubernetes.io~configmap/config-map/value /var/lib/*/pods/${uid}/volumes/kubernetes.io~secret/secret/value`
      await eventually(
        () => lab.run('edge-1', ['sh', '-c', files]),
        (text) => text.trim() === 'afterafter',
        120_000,
      )
      await kubectl('delete', 'pod/mounted', 'service/made-while-it-restarts', '--wait=false')
      await kubectl('wait', '--for=delete', 'pod/reader', '--timeout=60s')
      await kubectl('delete', 'pod', 'meanwhile', '--timeout=60s')
      await lab.run('edge-1', ['rm', '-r', '/run/edge-tools'])
    })
  })
}
