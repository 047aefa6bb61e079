import { parse } from 'yaml'
import type { Look } from '../host/host.ts'

const MANIFESTS = '/etc/kubernetes/manifests'

/**
 * What a part of the control plane runs with on this master, whatever it was configured with: `client-ca-file` → its value.
 * Undefined: no such part here, or a manifest that was cut short.
 */
export async function staticPodFlags(
  host: Look,
  part: 'kube-apiserver' | 'etcd',
): Promise<ReadonlyMap<string, string> | undefined> {
  const text = await host.readFile(`${MANIFESTS}/${part}.yaml`)
  return text === undefined ? undefined : flagsIn(text)
}

export function flagsIn(manifest: string): ReadonlyMap<string, string> | undefined {
  const pod = parsePod(manifest)
  return pod && new Map(argumentsOf(pod))
}

interface Pod {
  readonly spec?: {
    readonly containers?: readonly Container[]
    readonly volumes?: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[]
  }
}

interface Container {
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

/** Undefined: cut short. */
export function parsePod(manifest: string): Pod | undefined {
  try {
    const pod = parse(manifest) as Pod | null
    return pod?.spec?.containers?.[0] === undefined ? undefined : pod
  } catch {
    return undefined
  }
}

/** In their order; a flag may be there several times. */
export function argumentsOf(pod: Pod): (readonly [name: string, value: string])[] {
  const container = pod.spec?.containers?.[0]
  const words = [...(container?.command ?? []), ...(container?.args ?? [])]
  return words.flatMap((word) => {
    const [, name, value = 'true'] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? []
    return name === undefined ? [] : [[name, value] as const]
  })
}

/** Where a path of the container lies on the host. */
export function onHost(pod: Pod, path: string): string {
  const mounts = (pod.spec?.containers?.[0]?.volumeMounts ?? [])
    .filter(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath.replace(/\/$/, '')}/`))
    .sort((one, other) => other.mountPath.length - one.mountPath.length)
  const [mount] = mounts
  const volume = pod.spec?.volumes?.find(({ name }) => name === mount?.name)?.hostPath?.path
  return mount === undefined || volume === undefined ? path : volume + path.slice(mount.mountPath.length)
}

/** The manifest itself; undefined as for {@link staticPodFlags}. */
export async function staticPod(host: Look, part: 'kube-apiserver' | 'etcd'): Promise<Pod | undefined> {
  const text = await host.readFile(`${MANIFESTS}/${part}.yaml`)
  return text === undefined ? undefined : parsePod(text)
}
