import { type PackageImage, roleRunsImage } from '../../package/index.ts'
import { type NodeContext, packageRole } from '../context.ts'

/** What every Pod needs, and what an API server of several needs to be reached. */
export const API_SERVER = /\/(pause|kube-apiserver|etcd|haproxy|keepalived):/

/** The images of the package that this node can run. */
export function wantedImages({ settings, manifest }: NodeContext): readonly PackageImage[] {
  return (manifest?.images ?? []).filter(({ name }) => isWantedImage(settings, name))
}

/** @param name full: `registry.k8s.io/pause:3.10` */
export function isWantedImage(settings: NodeContext['settings'], name: string): boolean {
  return roleRunsImage(packageRole(settings), name)
}

/** What is read of the OCI image format: https://github.com/opencontainers/image-spec */
interface Descriptor {
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Index {
  readonly manifests: readonly Descriptor[]
}

interface ImageManifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** The part of an OCI layout that some images make: their index, and the paths of their blobs. */
export async function selectImages(
  index: Index,
  digests: ReadonlySet<string>,
  readManifest: (path: string) => Promise<string>,
): Promise<{ index: Index; paths: string[] }> {
  const manifests = index.manifests.filter(({ digest }) => digests.has(digest))
  const paths = new Set(['oci-layout'])
  for (const { digest } of manifests) {
    const manifest = JSON.parse(await readManifest(blobPath(digest))) as ImageManifest
    for (const blob of [{ digest }, manifest.config, ...manifest.layers]) paths.add(blobPath(blob.digest))
  }
  return { index: { ...index, manifests }, paths: [...paths] }
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}
