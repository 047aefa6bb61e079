import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, matchesGlob } from 'node:path'
import { EdgeadmError } from '../../../output/errors.ts'
import { tarChunks } from '../../tar-writer.ts'
import { hostDistribution } from '../apt-sources.ts'
import { tool } from '../command.ts'
import { libraryClosure } from '../elf.ts'
import { writeBlob } from '../hashing.ts'
import { LayerTree, mergedPath, scanTree, type TreeFile } from '../layer-tree.ts'
import type { DebianSource } from '../recipe.ts'
import type { ComponentRecord, DebianPackage, MakeContext } from '../record.ts'

/**
 * Makes a layer of what Debian packages hold. They are only extracted (no root rights, no script of theirs runs), so
 * links and the like that their scripts would make are in the recipe.
 */
export async function makeFromDebian(source: DebianSource, context: MakeContext): Promise<ComponentRecord> {
  const { component, arch, folder, signal, emit } = context
  const { codename, sources } = await hostDistribution()
  const root = join(folder, 'root')
  const list = join(folder, 'sources.list')
  await writeFile(list, `${sources}\n`)
  emit({
    type: 'output',
    text: `Extracting Debian packages for ${component.name}: ${source.packages.join(', ')}`,
  })
  await tool(
    `extracting ${source.packages.join(', ')}`,
    'mmdebstrap',
    [
      '--variant=extract',
      // apt's cache tells the versions; it goes with the tree.
      '--skip=cleanup/apt',
      // Nothing is run, so another architecture needs no emulation.
      '--skip=check/qemu',
      `--architectures=${arch}`,
      `--include=${source.packages.join(',')}`,
      '--aptopt=Apt::Install-Recommends "false"',
      codename,
      root,
      list,
    ],
    { signal, env: { SOURCE_DATE_EPOCH: '0' } },
  )
  const packages = await debianPackages(root)
  const tree = await buildTree(source, root, signal)
  const layer = await writeBlob(join(folder, 'layer.tar'), tarChunks(tree.items()), signal)
  await rm(root, { recursive: true })
  await rm(list)
  const versions = packages.map(({ name, version }) => `${name}=${version}`)
  return { source: `debian:${codename} ${versions.join(' ')} (${arch})`, packages, layer }
}

async function buildTree(source: DebianSource, root: string, signal: AbortSignal): Promise<LayerTree> {
  const files = await scanTree(root)
  const layer = new LayerTree()
  for (const path of await keptPaths(source, files, signal)) {
    const file = files.get(path) as TreeFile
    if (file.target !== undefined) layer.addLink(path, file.target)
    else layer.add(path, { type: 'File', mode: file.mode, size: file.size, content: file.at })
  }
  for (const [path, glob] of Object.entries(source.joined ?? {})) {
    const parts = [...files.keys()].filter((name) => matchesGlob(name, glob)).sort()
    if (parts.length === 0) throw nothingLike(glob, source)
    const texts = await Promise.all(parts.map((name) => readFile((files.get(name) as TreeFile).at, 'utf8')))
    layer.addText(path, texts.join(''))
  }
  for (const [path, text] of Object.entries(source.texts ?? {})) layer.addText(path, text)
  for (const [path, mode] of Object.entries(source.folders ?? {}))
    layer.addFolder(path, Number.parseInt(mode, 8))
  for (const [path, target] of Object.entries(source.links ?? {})) layer.addLink(path, target)
  return layer
}

/** Paths that match, and the libraries they need. A pattern that finds nothing in either form of /usr is an error. */
async function keptPaths(
  source: DebianSource,
  files: ReadonlyMap<string, TreeFile>,
  signal: AbortSignal,
): Promise<string[]> {
  if (source.keep === undefined)
    return [...files.keys()].filter((path) => !HOUSEKEEPING.some((folder) => path.startsWith(folder)))
  const kept = new Set<string>()
  for (const glob of source.keep) {
    const matching = [...files.keys()].filter((path) => matchesGlob(path, mergedPath(glob)))
    if (matching.length === 0) throw nothingLike(glob, source)
    for (const path of matching) kept.add(path)
  }
  for (const path of await libraryClosure(files, [...kept], signal)) kept.add(path)
  return [...kept].sort()
}

function nothingLike(glob: string, source: DebianSource): EdgeadmError {
  return new EdgeadmError(
    'package',
    `there is nothing like ${glob} in the Debian packages ${source.packages.join(', ')}`,
  )
}

/** All packages that were extracted, from the names of their files in apt's cache, with the copyright files that they brought. */
async function debianPackages(root: string): Promise<DebianPackage[]> {
  const names = await readdir(join(root, 'var/cache/apt/archives'))
  const packages = names
    .filter((file) => file.endsWith('.deb'))
    .map((file) => {
      const [name = '', version = ''] = file.split('_')
      return { name, version: decodeURIComponent(version) }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return Promise.all(
    packages.map(async (each) => ({ ...each, copyright: await copyrightOf(root, each.name) })),
  )
}

/** A package's documents may be a link to those of another package. */
async function copyrightOf(root: string, name: string): Promise<string> {
  try {
    return await readFile(join(root, 'usr/share/doc', name, 'copyright'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** Folders of the tree that belong to apt and dpkg, not to the packages. */
const HOUSEKEEPING = ['/dev/', '/var/cache/', '/var/lib/apt/', '/var/lib/dpkg/', '/var/log/']
