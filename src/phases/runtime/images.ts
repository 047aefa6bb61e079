import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host, Look, Undo } from '../../host/host.ts'
import { syncFileSystems } from '../../host/sync.ts'
import type { PackageImage } from '../../package/index.ts'
import { BIN, type NodeContext, UNPACKED } from '../context.ts'
import { ensureUnpacked } from '../package.ts'
import type { Phase } from '../workflow.ts'
import { isOwnContainerd } from './containerd.ts'
import { provideSandboxImage } from './sandbox-image.ts'
import { API_SERVER, type Index, selectImages, wantedImages } from './wanted-images.ts'

/** The CRI's own namespace in containerd. */
const NAMESPACE = 'k8s.io'

const LAYOUT = join(UNPACKED, 'images')

type Selection = (image: PackageImage) => boolean

/**
 * Brings images that this node needs from the package into containerd. tar feeds ctr through a pipe, so that the
 * images are never a second time on the disk; `ctr` checks each blob's digest.
 */
function importImages(name: string, title: string, selection: Selection): Phase<NodeContext> {
  const chosen = (ctx: NodeContext) => wantedImages(ctx).filter(selection)
  return {
    name,
    title,
    runIf: (ctx) => (chosen(ctx).length === 0 ? 'the package has none of these images' : true),
    inputs: chosen,
    verify: async (ctx) => {
      const present = await presentImages(ctx.host)
      return chosen(ctx).every((image) => present.has(image.name))
    },
    run: async (ctx) => {
      const { host, settings } = ctx
      await ensureUnpacked(ctx)
      const images = chosen(ctx)
      if (ctx.wasCutOff === true) await removeTornImages(ctx, images)
      const index = `${name.replaceAll('/', '-')}.json`
      const paths = settings.dryRun ? [] : await select(new Set(images.map(({ digest }) => digest)), index)
      const script = `set -e; tar -C "$1" -cf - --files-from=- --transform='s|^${index}$|index.json|' | "$2" --namespace "$3" images import --all-platforms=false -
${PIN}`
      const names = images.map((image) => image.name)
      await host.run('sh', ['-c', script, 'import', LAYOUT, await ctrPath(host), NAMESPACE, ...names], {
        title: `import ${images.length} images`,
        undo: await undoImport(host, images),
        input: paths.map((path) => `${path}\n`).join(''),
      })
      // Before the kubelet starts containers from them; containerd does not wait for the disk when it unpacks layers.
      if (!settings.dryRun) await syncFileSystems(['/var/lib/containerd'])
      if (await isOwnContainerd(host)) return
      const ctr = [await ctrPath(host), '--namespace', NAMESPACE] as const
      await provideSandboxImage(ctx, ctr, await presentImages(host))
    },
  }
}

export const images = importImages('runtime/images', 'Import images', () => true)

/** The first master needs these first; the others are imported while its API server starts. */
const isFirst: Selection = ({ name }) => API_SERVER.test(name)
export const apiServerImages = importImages('runtime/images', 'Import the images of the API server', isFirst)
export const otherImages = importImages(
  'runtime/images/others',
  'Import the other images',
  (image) => !isFirst(image),
)

/**
 * The machine went down during an import: containerd knows the images, and files in their layers may be empty. With the
 * images their layers go. A containerd that was here before edgeadm keeps its images.
 */
async function removeTornImages({ host }: NodeContext, images: readonly PackageImage[]): Promise<void> {
  if (!(await isOwnContainerd(host))) return
  const title = 'remove images that were being imported when the machine went down'
  const digests = images.map(({ digest }) => digest)
  await host.run('sh', ['-c', REMOVE, 'remove', await ctrPath(host), NAMESPACE, ...digests], {
    title,
    undo: null,
  })
}

async function presentImages(host: Look): Promise<ReadonlySet<string>> {
  const list = await host.probe(await ctrPath(host), ['--namespace', NAMESPACE, 'images', 'list', '--quiet'])
  return new Set(list.stdout.split('\n'))
}

/**
 * The CRI plugin names each image a second time, by its configuration's digest; both names go, or the image would stay.
 * Ends with an error if containerd does not answer.
 */
const REMOVE = `set -e
ctr=$1 namespace=$2 names=
shift 2
for digest; do names="$names $("$ctr" --namespace "$namespace" images list --quiet "target.digest==$digest")"; done
[ -z "$(echo $names)" ] || "$ctr" --namespace "$namespace" images remove --sync $names`

/** edgeadm's containerd goes with all it holds; one that was there before keeps the images it had, and no others. */
async function undoImport(host: NodeContext['host'], wanted: readonly PackageImage[]): Promise<Undo | null> {
  if (await isOwnContainerd(host)) return null
  const ctr = await ctrPath(host)
  const added: string[] = []
  for (const { digest } of wanted) {
    const args = ['--namespace', NAMESPACE, 'images', 'list', '--quiet', `target.digest==${digest}`]
    if ((await host.probe(ctr, args)).stdout === '') added.push(digest)
  }
  return added.length === 0 ? null : { file: 'sh', args: ['-c', REMOVE, 'remove', ctr, NAMESPACE, ...added] }
}

/**
 * A kubelet short of space removes images that no container uses, and a machine without a registry cannot get them back:
 * those of an upgrade to come, or CoreDNS' on a node that it moves to. A pinned one stays (containerd's CRI plugin).
 */
const PIN = `ctr=$2 namespace=$3
shift 3
for name; do "$ctr" --namespace "$namespace" images label "$name" io.cri-containerd.pinned=pinned > /dev/null; done`

/** Those of an earlier package, which a kubelet may remove from now on. */
export async function unpinImages(host: Host, names: readonly string[]): Promise<void> {
  const present = await presentImages(host)
  const ctr = await ctrPath(host)
  for (const name of names.filter((one) => present.has(one)))
    await host.run(ctr, ['--namespace', NAMESPACE, 'images', 'label', name, 'io.cri-containerd.pinned='], {
      title: `let the kubelet remove ${name} when it needs space`,
      undo: null,
    })
}

/** Writes the index of the wanted images beside the package's own, and names the files that belong to them. */
async function select(digests: ReadonlySet<string>, file: string): Promise<string[]> {
  const index = JSON.parse(await readFile(join(LAYOUT, 'index.json'), 'utf8')) as Index
  const selection = await selectImages(index, digests, (path) => readFile(join(LAYOUT, path), 'utf8'))
  await writeFile(join(LAYOUT, file), JSON.stringify(selection.index))
  return [file, ...selection.paths]
}

export async function ctrPath(host: Look): Promise<string> {
  // A kept containerd has its own ctr in PATH.
  return (await host.stat(`${BIN}/ctr`)) === undefined ? 'ctr' : `${BIN}/ctr`
}
