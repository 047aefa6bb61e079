/** The offline package as the rest of edgeadm sees it: read, verify, unpack, fetch. Building is in build/. */

export { checkArchitecture, machineArchitecture } from './architecture.ts'
export { type FetchOptions, fetchPackage } from './fetch.ts'
export {
  type Architecture,
  MANIFEST_NAME,
  type PackageComponent,
  type PackageFile,
  type PackageImage,
  type PackageManifest,
  serializeManifest,
} from './manifest.ts'
export { cacheDirectory, defaultPackagePath, packageFileName, packagesDirectory } from './paths.ts'
export {
  readPackageManifest,
  type UnpackOptions,
  unpackPackage,
  type VerifyOptions,
  verifyPackage,
} from './unpack.ts'
