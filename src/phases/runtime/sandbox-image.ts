import type { NodeContext } from '../context.ts'

/** The setting in containerd's configuration of version 2 (containerd 1.x) and 3. */
export const SANDBOX_SETTING = /\bsandbox(?:_image)? = ['"]([^'"]+)['"]/

/**
 * A containerd that was there wants the pause image under the name in its own configuration, often another version than
 * the package's, and would pull it. It gets the package's under that name; its configuration stays as it is.
 */
export async function provideSandboxImage(
  { host, manifest }: NodeContext,
  ctr: readonly [file: string, ...args: string[]],
  present: ReadonlySet<string>,
): Promise<void> {
  const wanted = SANDBOX_SETTING.exec((await host.probe('containerd', ['config', 'dump'])).stdout)?.[1]
  const packaged = manifest?.images.find(({ name }) => /\/pause:/.test(name))?.name
  if (wanted === undefined || packaged === undefined || wanted === packaged || present.has(wanted)) return
  const [file, ...args] = ctr
  await host.run(file, [...args, 'images', 'tag', packaged, wanted], {
    title: `name ${packaged} also ${wanted}, as this machine's containerd wants it`,
    undo: { file, args: [...args, 'images', 'remove', wanted] },
  })
  // The CRI's own mark: the kubelet's garbage collection leaves it alone.
  await host.run(file, [...args, 'images', 'label', wanted, 'io.cri-containerd.pinned=pinned'], {
    title: `pin ${wanted}`,
    undo: null,
  })
}
