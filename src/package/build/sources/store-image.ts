import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EdgeadmError } from '../../../output/errors.ts'
import { decompressFile } from '../hashing.ts'
import {
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  MEDIA,
  storeBytes,
  storeFile,
  storeManifest,
} from '../oci.ts'
import type { Blob, ComponentRecord, MakeContext } from '../record.ts'

/** Where the blobs of an image come from: a registry or an archive. Both verify what they give. */
export interface BlobStore {
  /** A manifest or an index by digest. */
  document(digest: string): Promise<{ bytes: Buffer; mediaType: string }>
  /** Puts a blob into a file. */
  fetch(blob: Blob, path: string): Promise<void>
}

/**
 * Stores an image with its layers as plain tar: the package is compressed as a whole, and importing is quicker.
 * The manifest gets another digest by that; the configuration, and with it the image's ID, stays.
 */
export async function storeImage(
  top: { bytes: Buffer; mediaType: string },
  store: BlobStore,
  context: MakeContext,
): Promise<NonNullable<ComponentRecord['image']>> {
  const { component, folder, signal } = context
  const manifest = await imageManifest(top, store, context)
  const blobs = join(folder, 'blobs')
  await mkdir(blobs)
  const temporary = join(folder, 'blob.download')
  await store.fetch(manifest.config, temporary)
  const configBytes = await readFile(temporary)
  const config = await storeBytes(blobs, configBytes)
  const diffIds =
    (JSON.parse(configBytes.toString()) as { rootfs?: { diff_ids?: string[] } }).rootfs?.diff_ids ?? []
  const layers: Blob[] = []
  for (const [index, layer] of manifest.layers.entries()) {
    await store.fetch(layer, temporary)
    const plain = join(folder, 'layer.making')
    const blob = await decompressFile(temporary, plain, compressionOf(layer, component.name), signal)
    if (blob.digest !== diffIds[index])
      throw new EdgeadmError(
        'package',
        `layer ${index + 1} of ${component.name} is ${blob.digest}, its configuration says ${diffIds[index]}`,
      )
    layers.push(await storeFile(blobs, plain, blob))
  }
  await rm(temporary, { force: true })
  return storeManifest(blobs, config, layers)
}

/** The manifest of an image for one architecture. */
export async function imageManifest(
  top: { bytes: Buffer; mediaType: string },
  store: Pick<BlobStore, 'document'>,
  { component, arch }: Pick<MakeContext, 'component' | 'arch'>,
): Promise<ImageManifest> {
  const parsed = JSON.parse(top.bytes.toString()) as Partial<ImageIndex & ImageManifest>
  if (
    top.mediaType === MEDIA.index ||
    top.mediaType === MEDIA.dockerIndex ||
    parsed.manifests !== undefined
  ) {
    const fitting = parsed.manifests?.find(
      ({ platform }) => platform?.os === 'linux' && platform.architecture === arch,
    )
    const only =
      parsed.manifests?.length === 1 && parsed.manifests[0]?.platform === undefined
        ? parsed.manifests[0]
        : undefined
    const chosen = fitting ?? only
    if (chosen === undefined)
      throw new EdgeadmError('package', `the image for ${component.name} does not exist for linux/${arch}`)
    return imageManifest(await store.document(chosen.digest), store, { component, arch })
  }
  if (parsed.config === undefined || parsed.layers === undefined)
    throw new EdgeadmError(
      'package',
      `the manifest for ${component.name} is of a kind that is not known (${top.mediaType})`,
    )
  return { config: parsed.config, layers: parsed.layers }
}

function compressionOf({ mediaType }: Descriptor, name: string): 'gzip' | 'zstd' | 'none' {
  if (/[.+]gzip$/.test(mediaType)) return 'gzip'
  if (/\+zstd$/.test(mediaType)) return 'zstd'
  if (/\.tar$/.test(mediaType)) return 'none'
  throw new EdgeadmError('package', `${name} has a layer of a kind that is not known (${mediaType})`)
}
