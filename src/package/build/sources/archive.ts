import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { list } from 'tar'
import { EdgeadmError, messageOf } from '../../../output/errors.ts'
import { sha256Of } from '../../fetch.ts'
import { blobOf } from '../hashing.ts'
import { type Descriptor, digestOf, type ImageIndex, MEDIA } from '../oci.ts'
import { type ArchiveSource, fill, valuesOf } from '../recipe.ts'
import { type ComponentRecord, hexOf, type MakeContext } from '../record.ts'
import { extractAll, extractMembers } from './extract.ts'
import { recordPrograms } from './programs.ts'
import { storeImage } from './store-image.ts'

/** Takes a component from a file of the user's. */
export async function makeFromArchive(source: ArchiveSource, context: MakeContext): Promise<ComponentRecord> {
  const { component } = context
  const sha256 = await sha256Of(source.file)
  if (sha256 === undefined)
    throw new EdgeadmError('usage', `there is no file ${source.file} for ${component.name}`)
  const origin = `archive:${basename(source.file)}@sha256:${sha256}`
  if (component.image !== undefined) return { source: origin, image: await imageFrom(source.file, context) }
  if (component.layer === true)
    throw new EdgeadmError('usage', `${component.name} is a layer: a layer cannot be taken from a file`)
  await programsFrom(source.file, context)
  return recordPrograms(context, origin)
}

/** An OCI image layout in a tar archive: what `skopeo copy … oci-archive:`, `ctr images export` and `docker save` write. */
async function imageFrom(file: string, context: MakeContext): Promise<NonNullable<ComponentRecord['image']>> {
  const { component, arch, folder, signal } = context
  const layout = join(folder, 'layout')
  await extractAll(file, layout, signal)
  const blobPath = (digest: string) => join(layout, 'blobs', 'sha256', hexOf(digest))
  const index = await readFile(join(layout, 'index.json')).catch(() => {
    throw new EdgeadmError('package', `${file} is not an OCI archive: it has no index.json`, {
      fix: 'save the image with `ctr images export`, `skopeo copy … oci-archive:FILE`, or Docker 25 or later',
    })
  })
  const fetchDocument = async (digest: string) => {
    const bytes = await readFile(blobPath(digest))
    if (digestOf(bytes) !== digest) throw new EdgeadmError('package', `${digest} in ${file} is damaged`)
    const { mediaType = MEDIA.manifest } = JSON.parse(bytes.toString()) as { mediaType?: string }
    return { bytes, mediaType }
  }
  const wanted = fill(component.image as string, valuesOf(component, arch))
  const top = choose(JSON.parse(index.toString()) as ImageIndex, wanted, file)
  const stored = await storeImage(
    await fetchDocument(top.digest),
    {
      document: fetchDocument,
      fetch: async ({ digest, size }, path) => {
        await copyFile(blobPath(digest), path)
        const actual = await blobOf(path, signal)
        if (actual.digest !== digest || actual.size !== size)
          throw new EdgeadmError('package', `${digest} in ${file} is damaged`)
      },
    },
    context,
  )
  await rm(layout, { recursive: true })
  return stored
}

const IMAGE_NAME = 'io.containerd.image.name'
/** "edgemesh-agent" of docker.io/kubeedge/edgemesh-agent:v1.16.0 */
const lastPart = (name: string | undefined) => /([^/:@]+)(?:[:@][^/]*)?$/.exec(name ?? '')?.[1]

/** The image of that name, or else the only one of its repository's name (the tag may differ), or the only one there is. */
function choose({ manifests }: ImageIndex, wanted: string, file: string): Descriptor {
  const named = manifests.find(({ annotations }) => annotations?.[IMAGE_NAME] === wanted)
  const alike = manifests.filter(
    ({ annotations }) => lastPart(annotations?.[IMAGE_NAME]) === lastPart(wanted),
  )
  const chosen =
    named ??
    (alike.length === 1 ? alike[0] : undefined) ??
    (manifests.length === 1 ? manifests[0] : undefined)
  if (chosen !== undefined) return chosen
  const names = manifests.map(({ annotations }) => annotations?.[IMAGE_NAME] ?? 'one without a name')
  throw new EdgeadmError('package', `${file} holds ${manifests.length} images, none of them ${wanted}`, {
    details: names,
  })
}

/** A tar archive that has the programs anywhere, or the one program itself. */
async function programsFrom(file: string, context: MakeContext): Promise<void> {
  const { component, programs, folder, signal } = context
  const files = join(folder, 'files')
  await mkdir(files)
  const members = new Map<string, string>()
  try {
    await list({
      file,
      strict: true,
      onReadEntry: ({ path, type }) => {
        const name = basename(path)
        if (type === 'File' && programs.includes(name)) members.set(path.replace(/^(\.\/)+/, ''), name)
      },
    })
  } catch (error) {
    const [only] = programs
    if (programs.length === 1 && only !== undefined && (await isProgram(file))) {
      await copyFile(file, join(files, only))
      return
    }
    throw new EdgeadmError('package', `${file} is neither a tar archive nor a program: ${messageOf(error)}`)
  }
  const found = await extractMembers(file, members, files, signal)
  const missing = programs.filter((name) => !found.has(name))
  if (missing.length > 0)
    throw new EdgeadmError('package', `${file} has no ${missing.join(', ')} for ${component.name}`)
}

async function isProgram(file: string): Promise<boolean> {
  return (await readFile(file)).subarray(0, 4).toString('latin1') === '\x7fELF'
}
