import { join } from 'node:path'
import { BIN, type NodeContext, UNPACKED } from '../context.ts'
import type { Phase } from '../workflow.ts'

/** The CRI's own namespace in containerd. */
const NAMESPACE = 'k8s.io'

/**
 * Brings the package's images into containerd. tar feeds ctr through a pipe, so that the images are never a second time
 * on the disk; `ctr` checks each blob's digest.
 */
export const images: Phase<NodeContext> = {
  name: 'runtime/images',
  title: 'Import images',
  runIf: ({ manifest }) =>
    manifest === undefined || manifest.images.length === 0 ? 'the package has no images' : true,
  inputs: ({ manifest }) => manifest?.images,
  verify: async ({ host, manifest }) => {
    const list = await host.probe(`${BIN}/ctr`, ['--namespace', NAMESPACE, 'images', 'list', '--quiet'])
    const present = new Set(list.stdout.split('\n'))
    return (manifest?.images ?? []).every(({ name }) => present.has(name))
  },
  run: async ({ host, manifest }) => {
    const script = `set -e; tar -C "$1" -cf - . | "$2" --namespace "$3" images import --all-platforms=false -`
    await host.run('sh', ['-c', script, 'import', join(UNPACKED, 'images'), await ctrPath(host), NAMESPACE], {
      title: `import ${manifest?.images.length ?? 0} images`,
      undo: null,
    })
  },
}

async function ctrPath(host: NodeContext['host']): Promise<string> {
  // A kept containerd has its own ctr in PATH.
  return (await host.stat(`${BIN}/ctr`)) === undefined ? 'ctr' : `${BIN}/ctr`
}
