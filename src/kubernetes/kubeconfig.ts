import { parse, stringify } from 'yaml'

export interface KubeconfigCluster {
  readonly server: string
  /** PEM; undefined if the file carries none. */
  readonly caPem: string | undefined
  /** Path of the CA where it lies in a file of its own; relative to the kubeconfig. */
  readonly caFile: string | undefined
}

interface Kubeconfig {
  readonly 'current-context'?: string
  readonly contexts?: readonly { name?: string; context?: { cluster?: string } }[]
  readonly clusters?: readonly {
    name?: string
    cluster?: { server?: string; 'certificate-authority-data'?: string; 'certificate-authority'?: string }
  }[]
}

/**
 * The cluster of the current context, else the only one there is.
 * @returns undefined if the text is no kubeconfig with one cluster and its server
 */
export function clusterOf(text: string): KubeconfigCluster | undefined {
  let config: Kubeconfig | null
  try {
    config = parse(text) as Kubeconfig | null
  } catch {
    return undefined
  }
  const clusters = Array.isArray(config?.clusters) ? config.clusters : []
  const context = config?.contexts?.find((one) => one.name === config?.['current-context'])
  const named = clusters.find((one) => one.name === context?.context?.cluster)
  const {
    server,
    'certificate-authority-data': data,
    'certificate-authority': caFile,
  } = (named ?? clusters[0])?.cluster ?? {}
  if (typeof server !== 'string') return undefined
  return {
    server,
    caPem: data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8'),
    caFile,
  }
}

export type Credentials =
  | { readonly token: string }
  | { readonly certificatePem: string; readonly keyPem: string }
  | Record<string, never>

/** A kubeconfig with one cluster and one user. It holds the credentials: mode 0600. */
export function makeKubeconfig(
  cluster: { server: string; caPem: string },
  user: string,
  credentials: Credentials,
): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const fields =
    'certificatePem' in credentials && credentials.certificatePem !== undefined
      ? {
          'client-certificate-data': base64(credentials.certificatePem),
          'client-key-data': base64(credentials.keyPem),
        }
      : credentials
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'kubernetes',
          cluster: { 'certificate-authority-data': base64(cluster.caPem), server: cluster.server },
        },
      ],
      users: [{ name: user, user: fields }],
      contexts: [{ name: `${user}@kubernetes`, context: { cluster: 'kubernetes', user } }],
      'current-context': `${user}@kubernetes`,
    },
    { lineWidth: 0 },
  )
}
