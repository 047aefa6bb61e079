import { copyFile, link, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EdgeadmError } from '../../../output/errors.ts'
import { tarChunks } from '../../tar-writer.ts'
import { writeBlob } from '../hashing.ts'
import { LayerTree } from '../layer-tree.ts'
import { imageConfig, storeBytes, storeFile, storeManifest } from '../oci.ts'
import type { LayersSource } from '../recipe.ts'
import { type Blob, type ComponentRecord, hexOf, type MakeContext } from '../record.ts'
import { programPath } from './programs.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Puts an image together from layers that are made already and programs that are built already. */
export async function makeFromLayers(source: LayersSource, context: MakeContext): Promise<ComponentRecord> {
  const { arch, folder, signal, made } = context
  const blobs = join(folder, 'blobs')
  await mkdir(blobs)
  const layers: Blob[] = []
  for (const layer of source.layers) {
    if (typeof layer === 'string') layers.push(await shareLayer(blobs, layer, context))
    else {
      const temporary = join(folder, 'layer.making')
      const tree = programTree(layer, source.capabilities ?? {}, context)
      const blob = await writeBlob(temporary, tarChunks(tree.items()), signal)
      layers.push(await storeFile(blobs, temporary, blob))
    }
  }
  const config = await storeBytes(
    blobs,
    imageConfig({
      arch,
      layers,
      env: { PATH, ...source.env },
      ...(source.entrypoint === undefined ? {} : { entrypoint: source.entrypoint }),
      ...(source.user === undefined ? {} : { user: source.user }),
    }),
  )
  const image = await storeManifest(blobs, config, layers)
  const origins = partsOf(source).map((name) => made(name).record.source)
  return { source: [...new Set(origins)].join('; '), image }
}

/** Names of the components that an image is made of. */
export function partsOf(source: LayersSource): string[] {
  const names = source.layers.flatMap((layer) =>
    typeof layer === 'string'
      ? [layer]
      : Object.values(layer).map((value) => programReference(value).component),
  )
  return [...new Set(names)]
}

/** "component/program", or "component" if both have the same name. */
export function programReference(text: string): { component: string; program: string } {
  const [component = '', program = component] = text.split('/')
  return { component, program }
}

async function shareLayer(blobs: string, name: string, { made, component }: MakeContext): Promise<Blob> {
  const { folder, record } = made(name)
  if (record.layer === undefined)
    throw new EdgeadmError(
      'usage',
      `${component.name} names ${name} as a layer, but that component makes none`,
    )
  const target = join(blobs, hexOf(record.layer.digest))
  await link(join(folder, 'layer.tar'), target).catch(() => copyFile(join(folder, 'layer.tar'), target))
  return record.layer
}

function programTree(
  programs: Readonly<Record<string, string>>,
  capabilities: Readonly<Record<string, string>>,
  { made, component }: MakeContext,
): LayerTree {
  const tree = new LayerTree()
  for (const [path, reference] of Object.entries(programs)) {
    const { component: name, program } = programReference(reference)
    const { folder, record } = made(name)
    const file = record.files?.find((candidate) => candidate.name === program)
    if (file === undefined)
      throw new EdgeadmError('usage', `${component.name} wants ${program} of ${name}, which does not make it`)
    const capability = capabilities[path]
    tree.add(path, {
      type: 'File',
      mode: 0o755,
      size: file.size,
      content: programPath(folder, program),
      ...(capability === undefined ? {} : { capability: capabilityAttribute(capability) }),
    })
  }
  return tree
}

/** Numbers of include/uapi/linux/capability.h. */
const CAPABILITIES: Readonly<Record<string, number>> = {
  cap_net_bind_service: 10,
  cap_net_admin: 12,
  cap_net_raw: 13,
}

/** `struct vfs_cap_data` of revision 2: permitted and effective, nothing inheritable. */
function capabilityAttribute(name: string): Buffer {
  const bit = CAPABILITIES[name]
  if (bit === undefined)
    throw new EdgeadmError('usage', `${name} is not one of ${Object.keys(CAPABILITIES).join(', ')}`)
  const value = Buffer.alloc(20)
  value.writeUInt32LE(0x02000001, 0)
  value.writeUInt32LE(2 ** bit, 4)
  return value
}
