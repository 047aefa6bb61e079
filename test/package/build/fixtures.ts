import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { vi } from 'vitest'
import { stringify } from 'yaml'
import { type BuildOptions, type BuildResult, buildPackage } from '../../../src/package/build/build.ts'
import { MEDIA } from '../../../src/package/build/oci.ts'
import { reporter, tarOf, temporaryFolder } from '../synthetic.ts'

/** Writes a recipe and returns its path. */
export function recipe(components: readonly object[], kubernetesVersion = 'v1.33.13'): string {
  const path = join(temporaryFolder(), 'recipe.yaml')
  const head = { apiVersion: 'edgeadm.io/v1alpha1', kind: 'PackageRecipe', kubernetesVersion }
  writeFileSync(path, stringify({ ...head, components }))
  return path
}

/** A cache of the test's own. */
export function freshCache(): string {
  const folder = temporaryFolder()
  vi.stubEnv('XDG_CACHE_HOME', folder)
  return join(folder, 'edgeadm')
}

export async function build(
  recipePath: string,
  options: Partial<BuildOptions> = {},
): Promise<BuildResult & { lines: string[] }> {
  const { events, ...reporting } = reporter()
  const result = await buildPackage({
    ...reporting,
    recipes: [recipePath],
    arch: 'amd64',
    outputDirectory: temporaryFolder(),
    archives: {},
    with: [],
    without: [],
    ...options,
  })
  return { ...result, lines: events.flatMap((event) => (event.type === 'output' ? [event.text] : [])) }
}

/** A .tar.gz as GNU tar makes it. */
export function tarball(files: Readonly<Record<string, string>>): Buffer {
  const folder = temporaryFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'in', path)), { recursive: true })
    writeFileSync(join(folder, 'in', path), text, { mode: 0o755 })
  }
  execFileSync('tar', ['-czf', join(folder, 'out.tgz'), '-C', join(folder, 'in'), '.'])
  return readFileSync(join(folder, 'out.tgz'))
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

export interface TestImage {
  /** By digest. */
  readonly blobs: ReadonlyMap<string, Buffer>
  /** Digest of the index that names the image for amd64. */
  readonly index: string
  readonly config: string
  readonly plainLayers: readonly string[]
}

/** An image as registries have it: a list of platforms, layers compressed. */
export function testImage(text = 'hello'): TestImage {
  const blobs = new Map<string, Buffer>()
  const put = (content: Buffer | object) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
    const digest = `sha256:${sha256(bytes)}`
    blobs.set(digest, bytes)
    return { digest, size: bytes.length }
  }
  const layer = tarOf([{ path: 'hello', content: Buffer.from(text) }])
  const plainLayers = [`sha256:${sha256(layer)}`]
  const config = put({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: plainLayers },
  })
  const manifest = put({
    schemaVersion: 2,
    mediaType: MEDIA.dockerManifest,
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...put(gzipSync(layer)) }],
  })
  const platform = (architecture: string) => ({ os: 'linux', architecture })
  const index = put({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [
      { mediaType: MEDIA.manifest, digest: `sha256:${'0'.repeat(64)}`, size: 2, platform: platform('s390x') },
      { mediaType: MEDIA.dockerManifest, ...manifest, platform: platform('amd64') },
    ],
  })
  return { blobs, index: index.digest, config: config.digest, plainLayers }
}
