import { parse } from 'yaml'
import type { PlainDocument } from '../../config/types.ts'
import { apiGet } from '../../kubernetes/api-request.ts'
import { discover } from '../../kubernetes/discovery-file.ts'
import { type CertificatesSecret, canDecrypt } from '../../kubernetes/uploaded-certificates.ts'
import { EdgeadmError } from '../../output/errors.ts'
import type { JoinContext } from '../context.ts'
import { etcdProblems } from '../node/check-etcd.ts'
import type { Problem } from '../problem.ts'
import type { Phase } from '../workflow.ts'
import { checkImages, checkMachine } from './checks.ts'
import { CONFIG_MAP } from './files.ts'
import { endpointFromCluster } from './virtual-endpoint.ts'

const NEW_KEY =
  'on a master, `edgeadm token create --print-join-command --control-plane` uploads them anew and prints the line to join with'

/**
 * What only the cluster can say to a machine that wants to become a further master, asked with the bootstrap token before
 * anything is changed: its Kubernetes version, whether the certificate key is good, and what its load balancer needs here.
 */
export const controlPlaneCheck: Phase<JoinContext> = {
  name: 'control-plane-check',
  title: 'Check that this machine can become a master of the cluster',
  preliminary: true,
  verify: async ({ host }) =>
    (await host.stat('/etc/kubernetes/manifests/kube-apiserver.yaml')) !== undefined,
  run: async (ctx) => {
    const { settings } = ctx
    // A discovery file may bring credentials of its own; kubeadm alone reads those.
    if (settings.tlsBootstrapToken === undefined) return
    const bearerToken = settings.tlsBootstrapToken
    const cluster = await discover(settings.discovery, { signal: ctx.signal })
    const get = async (path: string): Promise<unknown> => {
      const url = `${cluster.server}/api/v1/namespaces/kube-system/${path}`
      const { status, body } = await apiGet({
        url,
        caPem: cluster.caPem,
        signal: ctx.signal,
        timeout: 10_000,
        bearerToken,
      })
      if (status === 200) return JSON.parse(body)
      if (status === 404 || status === 403) return undefined
      throw new EdgeadmError(
        'discovery',
        `the API server ${cluster.server} answered HTTP ${status} for ${path}`,
      )
    }
    const configuration = clusterConfigurationOf(await get('configmaps/kubeadm-config'))
    const problems = [
      ...checkVersion(configuration, settings.kubernetesVersion),
      ...(await etcdProblems(ctx.host, configuration)),
      ...checkKey((await get('secrets/kubeadm-certs')) as CertificatesSecret | undefined, ctx),
    ]
    const endpoint = endpointFromCluster((await get(`configmaps/${CONFIG_MAP}`)) as object | undefined)
    if (endpoint !== undefined) problems.push(...(await checkMachine(ctx, endpoint)), ...checkImages(ctx))
    const ignored = settings.ignorePreflightErrors
    const errors = problems.filter(
      ({ check }) => !ignored.includes('all') && !ignored.includes(check.toLowerCase()),
    )
    if (errors.length === 0) return
    throw new EdgeadmError(
      'preflight',
      '[preflight] Some fatal errors occurred: this machine cannot become a master yet',
      {
        details: errors.map(({ check, text }) => `[ERROR ${check}]: ${text}`),
      },
    )
  },
}

/** kubeadm's ClusterConfiguration out of the ConfigMap in which it keeps it. */
function clusterConfigurationOf(configMap: unknown): PlainDocument | undefined {
  const text = (configMap as { data?: { ClusterConfiguration?: string } } | undefined)?.data
    ?.ClusterConfiguration
  return text === undefined ? undefined : (parse(text) as PlainDocument)
}

/** kubeadm would run the cluster's version of the control plane here, whose images this package does not have. */
export function checkVersion(configuration: PlainDocument | undefined, own: string): Problem[] {
  const kubernetesVersion = configuration?.kubernetesVersion
  if (kubernetesVersion === undefined || own === '' || kubernetesVersion === own) return []
  return [
    {
      check: 'KubernetesVersion',
      severity: 'error',
      text: `the cluster runs Kubernetes ${kubernetesVersion}, and the package has ${own}: join masters with a package for ${kubernetesVersion}`,
    },
  ]
}

function checkKey(secret: CertificatesSecret | undefined, { settings }: JoinContext): Problem[] {
  const key = settings.controlPlane?.certificateKey
  // Without a key the user has brought the certificates himself; kubeadm looks whether all are there.
  if (key === undefined) return []
  const problem = (text: string): Problem[] => [
    { check: 'CertificateKey', severity: 'error', text: `${text}; ${NEW_KEY}` },
  ]
  if (secret === undefined)
    return problem('there are no uploaded certificates in the cluster: they are kept for two hours')
  return canDecrypt(secret, key) ? [] : problem('the certificate key does not fit the uploaded certificates')
}
