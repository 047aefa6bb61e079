import { createHash } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Architecture } from '../manifest.ts'
import { type Blob, hexOf } from './record.ts'

/** Media types and documents of the OCI image format, and Docker's names for the same. */

export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const

export interface Descriptor extends Blob {
  readonly mediaType: string
  readonly platform?: { readonly os: string; readonly architecture: string }
  readonly annotations?: Readonly<Record<string, string>>
}

export interface ImageIndex {
  readonly manifests: readonly Descriptor[]
}

export interface ImageManifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** An image's blobs in a folder `blobs`, its layers as plain tar. */
export interface StoredImage {
  readonly manifest: Blob
  readonly blobs: readonly Blob[]
}

/** Writes a document into `blobs` and says what it has become. */
export async function storeBytes(folder: string, bytes: Buffer): Promise<Blob> {
  const digest = digestOf(bytes)
  await writeFile(join(folder, hexOf(digest)), bytes)
  return { digest, size: bytes.length }
}

/** Gives a layer that was written to `temporary` its name in `blobs`. */
export async function storeFile(folder: string, temporary: string, blob: Blob): Promise<Blob> {
  await rename(temporary, join(folder, hexOf(blob.digest)))
  return blob
}

/** Writes the manifest of an image whose configuration and layers are in `blobs` already. */
export async function storeManifest(
  folder: string,
  config: Blob,
  layers: readonly Blob[],
): Promise<StoredImage> {
  const manifest = await storeBytes(
    folder,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        config: { mediaType: MEDIA.config, digest: config.digest, size: config.size },
        layers: layers.map(({ digest, size }) => ({ mediaType: MEDIA.layer, digest, size })),
      }),
    ),
  )
  const blobs = new Map([manifest, config, ...layers].map((blob) => [blob.digest, blob]))
  return { manifest, blobs: [...blobs.values()] }
}

export function imageConfig(options: {
  arch: Architecture
  layers: readonly Blob[]
  entrypoint?: readonly string[]
  env: Readonly<Record<string, string>>
  user?: string
}): Buffer {
  const { arch, layers, entrypoint, env, user } = options
  return Buffer.from(
    JSON.stringify({
      architecture: arch,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: {
        Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
        ...(user === undefined ? {} : { User: user }),
        WorkingDir: '/',
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'edgeadm package build' })),
    }),
  )
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
