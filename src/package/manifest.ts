import { EdgeadmError } from '../output/errors.ts'
import { unsafePath } from './paths.ts'

/** Version of manifest.json's format. A reader takes exactly the versions that it knows. */
export const PACKAGE_SCHEMA = 'edgeadm.io/package/v1alpha1'
export const MANIFEST_NAME = 'manifest.json'
export const SIGNATURE_NAME = 'manifest.sig'
/** The bill of materials: a file as any other. It names texts under licences/. */
export const SBOM_NAME = 'sbom.cdx.json'

export type Architecture = 'amd64' | 'arm64'

export interface PackageFile {
  /** Relative to the package's root, slashes, no `.` or `..`. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Permission bits, decimal in JSON as everywhere (493 = 0755). */
  readonly mode: number
  /** Lower-case hex. */
  readonly sha256: string
  readonly component: string
  /** SPDX expression. */
  readonly licence?: string
}

export interface PackageImage {
  /** The full reference under which the runtime will know it: `registry.k8s.io/pause:3.10`. */
  readonly name: string
  /** Digest of the OCI manifest in images/. */
  readonly digest: string
  /** Bytes of its manifest, configuration and (uncompressed) layers, shared ones included. */
  readonly size: number
  /** Digests of the blobs in images/ that it consists of, its manifest's too. Older packages do not tell. */
  readonly blobs?: readonly string[]
}

export interface PackageComponent {
  readonly name: string
  readonly version: string
  /** SPDX expression. */
  readonly licence: string
  /** Where it came from: an URL, a module, a list of Debian packages. */
  readonly source: string
  /** edgeadm's own additions to upstream's source that are in it. */
  readonly additions?: readonly PackageAddition[]
}

export interface PackageAddition {
  readonly name: string
  readonly what: string
  readonly why: string
  /** How upstream stands to it. */
  readonly upstream: string
  /** Of its files and statements: lower-case hex. */
  readonly sha256: string
}

export interface PackageManifest {
  readonly schema: string
  /** With the leading "v": `v1.33.13`. */
  readonly kubernetesVersion: string
  readonly edgeVersion: string
  readonly arch: Architecture
  readonly files: readonly PackageFile[]
  readonly images: readonly PackageImage[]
  readonly components: readonly PackageComponent[]
}

/** The bytes of manifest.json: the same manifest is always written the same way. */
export function serializeManifest(manifest: PackageManifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)
}

/**
 * Reads and checks manifest.json.
 * @param where the package's path, for the error
 * @throws EdgeadmError class `package`
 */
export function parseManifest(bytes: Buffer, where: string): PackageManifest {
  const bad = (what: string) =>
    new EdgeadmError('package', `${where} is not an edgeadm package: ${MANIFEST_NAME} ${what}`)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw bad('is not JSON')
  }
  if (!isRecord(value)) throw bad('is not an object')
  if (value.schema !== PACKAGE_SCHEMA) {
    if (typeof value.schema !== 'string') throw bad('has no schema')
    throw new EdgeadmError(
      'package',
      `${where} has the package format ${value.schema}, this edgeadm reads ${PACKAGE_SCHEMA}`,
      { fix: 'use the edgeadm that built the package, or build the package anew' },
    )
  }
  if (value.arch !== 'amd64' && value.arch !== 'arm64') throw bad('names no known architecture')
  if (!/^v\d+\.\d+\.\d+/.test(String(value.kubernetesVersion))) throw bad('names no Kubernetes version')
  for (const list of ['files', 'images', 'components'] as const)
    if (!Array.isArray(value[list]) || !value[list].every(isRecord)) throw bad(`has no list of ${list}`)
  const manifest = value as unknown as PackageManifest
  const seen = new Set<string>()
  for (const file of manifest.files) {
    const problem = fileProblem(file, seen)
    if (problem !== undefined) throw bad(problem)
    seen.add(file.path)
  }
  for (const image of manifest.images) {
    if (!isText(image.name) || !isDigest(image.digest) || !Number.isSafeInteger(image.size))
      throw bad(`lists an image without a name, digest or size: ${JSON.stringify(image)}`)
    if (image.blobs !== undefined && !(Array.isArray(image.blobs) && image.blobs.every(isDigest)))
      throw bad(`lists blobs of ${image.name} that are no digests`)
  }
  for (const component of manifest.components)
    if (![component.name, component.version, component.licence, component.source].every(isText))
      throw bad(`lists a component without a name, version, licence or source: ${JSON.stringify(component)}`)
  return manifest
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isDigest = (value: unknown): boolean => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value)

function fileProblem(file: PackageFile, seen: ReadonlySet<string>): string | undefined {
  if (typeof file.path !== 'string') return 'lists a file without a path'
  const name = JSON.stringify(file.path)
  if (unsafePath(file.path)) return `lists ${name}, which leads out of the package`
  if (file.path === MANIFEST_NAME || file.path === SIGNATURE_NAME) return `lists itself (${name})`
  if (seen.has(file.path)) return `lists ${name} twice`
  if (!Number.isSafeInteger(file.size) || file.size < 0) return `has no size for ${name}`
  if (!Number.isInteger(file.mode) || file.mode < 0 || file.mode > 0o777) return `has no mode for ${name}`
  if (!/^[0-9a-f]{64}$/.test(file.sha256)) return `has no sha256 for ${name}`
  return undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
