import { join } from 'node:path'
import { EdgeadmError } from '../../../output/errors.ts'
import { fill, type ImageSource, valuesOf } from '../recipe.ts'
import { type ComponentRecord, hexOf, type MakeContext } from '../record.ts'
import { registryOf } from './registry.ts'
import { RegistryClient } from './registry-client.ts'
import { storeImage } from './store-image.ts'

/** Pulls an image from its registry, or from a mirror of it. */
export async function makeFromImage(source: ImageSource, context: MakeContext): Promise<ComponentRecord> {
  const { component, arch, servers, downloads, emit } = context
  const name = fill(source.reference, valuesOf(component, arch))
  const image = registryOf(name)
  const client = new RegistryClient(image, servers, context)
  emit({ type: 'output', text: `Pulling ${name}` })
  const top = await client.manifest(source.digest ?? image.reference)
  if (source.digest !== undefined && source.digest !== top.digest)
    throw new EdgeadmError('package', `${name} has the digest ${top.digest} instead of ${source.digest}`)
  const stored = await storeImage(
    top,
    {
      document: (digest) => client.manifest(digest),
      fetch: ({ digest, size }, path) =>
        client.blob(digest, size, path, join(downloads, hexOf(digest)), `pull ${name}`),
    },
    context,
  )
  return { source: `image:${name}@${top.digest}`, image: stored }
}
