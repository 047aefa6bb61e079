import { createHash, type KeyObject } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EdgeadmError } from '../../output/errors.ts'
import type { Reporting } from '../../output/events.ts'
import { missingFrom } from '../diff.ts'
import {
  type Architecture,
  MANIFEST_NAME,
  PACKAGE_SCHEMA,
  type PackageComponent,
  type PackageFile,
  type PackageImage,
  type PackageManifest,
  SIGNATURE_NAME,
  serializeManifest,
} from '../manifest.ts'
import { progressSteps } from '../progress.ts'
import { signManifest } from '../signature.ts'
import { type TarItem, tarChunks } from '../tar-writer.ts'
import { asWriteError } from '../write-error.ts'
import { inManifest } from './additions.ts'
import { isAlive } from './cache.ts'
import { carriedAdditions, sourceIn } from './carried-additions.ts'
import { blobOf } from './hashing.ts'
import { MEDIA } from './oci.ts'
import type { Step } from './plan.ts'
import { fill, valuesOf } from './recipe.ts'
import { hexOf, type MadeComponent } from './record.ts'
import { isBuilt } from './reuse.ts'
import { sbomContents } from './sbom/contents.ts'
import { programPath } from './sources/programs.ts'
import { zstdFrames } from './zstd-frames.ts'

export interface AssembleOptions extends Reporting {
  readonly path: string
  readonly kubernetesVersion: string
  readonly edgeVersion: string
  readonly arch: Architecture
  readonly steps: readonly Step[]
  readonly made: ReadonlyMap<string, MadeComponent>
  readonly signKey?: KeyObject
  /** Of the package that is there already: what it has is left out. */
  readonly base?: PackageManifest
}

export interface Content {
  readonly file: PackageFile
  /** Its bytes, or the path of the file that has them. */
  readonly content: Buffer | string
}

export type Parts = Omit<AssembleOptions, 'path' | 'signKey' | 'base'>

/** What a package of these components has in it, by path. */
export async function describePackage(
  options: Parts,
): Promise<{ contents: Content[]; manifest: PackageManifest }> {
  const about = [...(await sbomContents(options))].map(([path, text]) => generated(path, text, 'sbom'))
  const contents = [...programContents(options), ...imageContents(options), ...about].sort((a, b) =>
    a.file.path < b.file.path ? -1 : 1,
  )
  const manifest: PackageManifest = {
    schema: PACKAGE_SCHEMA,
    kubernetesVersion: options.kubernetesVersion,
    edgeVersion: options.edgeVersion,
    arch: options.arch,
    components: options.steps.map((step) => componentOf(step, options)),
    images: images(options),
    files: contents.map(({ file }) => file),
  }
  return { contents, manifest }
}

/** Writes the package: manifest (and signature), then all files by path, all root's and dated 1970. */
export async function assemble(options: AssembleOptions): Promise<PackageManifest> {
  const { contents, manifest } = await describePackage(options)
  await checkContents(contents, options)
  const { base } = options
  const isNew = base === undefined ? undefined : new Set(missingFrom(base, manifest).map(({ path }) => path))
  if (
    isNew === undefined &&
    options.signKey === undefined &&
    (await isBuilt(options.path, manifest, options))
  ) {
    options.emit({ type: 'output', text: `${options.path} is up to date` })
    return manifest
  }
  const bytes = serializeManifest(manifest)
  const items: TarItem[] = [document(MANIFEST_NAME, bytes)]
  if (options.signKey !== undefined)
    items.push(document(SIGNATURE_NAME, signManifest(bytes, options.signKey)))
  for (const { file, content } of contents)
    if (isNew === undefined || isNew.has(file.path))
      items.push({ path: file.path, type: 'File', mode: file.mode, size: file.size, content })
  await writePackage(items, options)
  return manifest
}

function componentOf(step: Step, options: Parts): PackageComponent {
  const { name, version, licence } = step.component
  const additions = carriedAdditions(step, sourceIn(options.steps))
  return {
    name,
    version,
    licence,
    source: record(options, name).record.source,
    ...(additions.length === 0 ? {} : { additions: additions.map(inManifest) }),
  }
}

/** The cache is only a cache: what goes into the package is what was recorded when it was made, or the build stops. */
async function checkContents(contents: readonly Content[], { emit, signal }: Reporting): Promise<void> {
  const total = contents.reduce((sum, { file }) => sum + file.size, 0)
  const progress = progressSteps(emit, 'check the components', total, 'bytes')
  let done = 0
  for (const { file, content } of contents) {
    if (typeof content === 'string') {
      const { digest, size } = await blobOf(content, signal)
      if (size !== file.size || hexOf(digest) !== file.sha256)
        throw new EdgeadmError('package', `${content} in the cache has changed since it was made`, {
          fix: `remove ${dirname(dirname(content))} and build again`,
        })
    }
    done += file.size
    progress(done)
  }
}

/** Compresses the items, and gives the file its name once it is whole. */
export async function writePackage(
  items: readonly TarItem[],
  { path, emit, signal }: Reporting & { readonly path: string },
): Promise<void> {
  const total = items.reduce((sum, { size }) => sum + size, 0)
  const progress = progressSteps(emit, 'compress the package', total, 'bytes')
  let done = 0
  const counted = async function* () {
    for await (const chunk of tarChunks(items)) {
      done += chunk.length
      progress(Math.min(done, total))
      yield chunk
    }
  }
  await mkdir(dirname(path), { recursive: true })
  await removeAbandoned(path)
  const temporary = `${path}.${process.pid}.making`
  try {
    await pipeline(Readable.from(zstdFrames(counted())), createWriteStream(temporary, { flush: true }), {
      signal,
    })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw asWriteError(error, `the package ${path} cannot be written`, dirname(path))
  }
}

/** Removes what killed builds of the same package left beside it. */
async function removeAbandoned(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    const pid = name.startsWith(`${basename(path)}.`) ? /\.(\d+)\.making$/.exec(name)?.[1] : undefined
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(dirname(path), name), { force: true })
  }
}

function programContents(options: Parts): Content[] {
  return options.steps.flatMap(({ component }) =>
    Object.entries(component.files ?? {}).map(([path, name]) => {
      const { folder, record: made } = record(options, component.name)
      const file = made.files?.find((candidate) => candidate.name === name)
      if (file === undefined) throw new EdgeadmError('package', `${component.name} came without ${name}`)
      return {
        content: programPath(folder, name),
        file: {
          path,
          size: file.size,
          mode: 0o755,
          sha256: file.sha256,
          component: component.name,
          licence: component.licence,
        },
      }
    }),
  )
}

/** One OCI layout for all images: a blob that several have is there once, under the component that brought it first. */
function imageContents(options: Parts): Content[] {
  const contents = new Map<string, Content>()
  const withImage = options.steps.filter(({ component }) => component.image !== undefined)
  if (withImage.length === 0) return []
  for (const { component } of withImage) {
    const { folder, record: made } = record(options, component.name)
    for (const { digest, size } of made.image?.blobs ?? []) {
      if (contents.has(digest)) continue
      const sha256 = hexOf(digest)
      const file = {
        path: `images/blobs/sha256/${sha256}`,
        size,
        mode: 0o644,
        sha256,
        component: component.name,
        licence: component.licence,
      }
      contents.set(digest, { file, content: join(folder, 'blobs', sha256) })
    }
  }
  const index = withImage.map(({ component }) => {
    const { digest, size } = imageOf(options, component.name).manifest
    const name = fill(component.image as string, valuesOf(component, options.arch))
    return {
      mediaType: MEDIA.manifest,
      digest,
      size,
      platform: { os: 'linux', architecture: options.arch },
      annotations: {
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
      },
    }
  })
  return [
    ...contents.values(),
    generated('images/oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' })),
    generated(
      'images/index.json',
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.index, manifests: index }),
    ),
  ]
}

function images(options: Parts): PackageImage[] {
  return options.steps.flatMap(({ component }) => {
    if (component.image === undefined) return []
    const { manifest, blobs } = imageOf(options, component.name)
    return {
      name: fill(component.image, valuesOf(component, options.arch)),
      digest: manifest.digest,
      size: blobs.reduce((sum, { size }) => sum + size, 0),
      blobs: blobs.map(({ digest }) => digest),
    }
  })
}

function imageOf(options: Parts, name: string) {
  const { image } = record(options, name).record
  if (image === undefined) throw new EdgeadmError('package', `${name} came without an image`)
  return image
}

function record(options: Parts, name: string): MadeComponent {
  const made = options.made.get(name)
  if (made === undefined) throw new Error(`${name} was not made`)
  return made
}

function generated(path: string, text: string, component = 'images'): Content {
  const content = Buffer.from(text)
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { content, file: { path, size: content.length, mode: 0o644, sha256, component } }
}

function document(path: string, content: Buffer): TarItem {
  return { path, type: 'File', mode: 0o644, size: content.length, content }
}
