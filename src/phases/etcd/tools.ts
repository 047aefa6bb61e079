/** etcdctl, etcdutl and etcd itself, out of the very image that this master runs: no version can differ from it. */

import { parse } from 'yaml'
import type { Look } from '../../host/host.ts'
import { EdgeadmError } from '../../output/errors.ts'
import { ctrPath } from '../runtime/images.ts'

export const ETCD_MANIFEST = '/etc/kubernetes/manifests/etcd.yaml'
/** Own directories: what a killed run left mounted is unmounted by the next one, which holds the machine's lock. */
const DIRECTORY = '/run/edgeadm-etcd'
const NAMESPACE = ['--namespace', 'k8s.io']

export interface EtcdTools {
  readonly etcd: string
  readonly etcdctl: string
  readonly etcdutl: string
}

/** The image that the static Pod of etcd names. */
export function imageIn(manifest: string | undefined): string | undefined {
  if (manifest === undefined) return undefined
  const pod = parse(manifest) as { spec?: { containers?: { image?: string }[] } } | null
  return pod?.spec?.containers?.[0]?.image
}

/**
 * Does the work with the programs, which are there only meanwhile: afterwards the machine is as it was, so it is enough to look.
 * @throws EdgeadmError class `preflight` if containerd lacks the image, or the image lacks the programs
 */
export async function withEtcdTools<T>(
  host: Look,
  image: string,
  use: (tools: EtcdTools) => Promise<T>,
): Promise<T> {
  const ctr = await ctrPath(host)
  const target = `${DIRECTORY}/image`
  const unmount = async (): Promise<void> => {
    await host.probe(ctr, [...NAMESPACE, 'images', 'unmount', '--rm', target])
    await host.probe('rmdir', [target, DIRECTORY])
  }
  await unmount()
  await host.probe('mkdir', ['-p', '-m', '0700', DIRECTORY, target])
  try {
    const mounted = await host.probe(ctr, [...NAMESPACE, 'images', 'mount', image, target])
    if (mounted.exitCode !== 0)
      throw new EdgeadmError(
        'preflight',
        `the image ${image}, whose etcdutl is needed, cannot be looked into`,
        {
          details: mounted.stderr.split('\n').filter((line) => line !== ''),
          fix: 'it is there on masters whose containerd runs: `systemctl start containerd`',
        },
      )
    const programs = `${target}/usr/local/bin`
    for (const name of ['etcd', 'etcdctl', 'etcdutl'])
      if ((await host.stat(`${programs}/${name}`)) === undefined)
        throw new EdgeadmError('preflight', `the image ${image} has no ${name}`, {
          fix: 'build the package with this edgeadm and import its images; upstream images of etcd have it, too',
        })
    return await use({
      etcd: `${programs}/etcd`,
      etcdctl: `${programs}/etcdctl`,
      etcdutl: `${programs}/etcdutl`,
    })
  } finally {
    await unmount()
  }
}
