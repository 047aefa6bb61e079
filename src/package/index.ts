/** The offline package as the rest of edgeadm sees it: read, verify, unpack, fetch. Building is in build/. */

export { checkArchitecture, machineArchitecture } from './architecture.ts'
export { carriedBy, carriesAddition, missingAdditions, openWithout } from './build/missing-additions.ts'
export { attachedNetworks, ProxyChoice, shownProxy } from './download/proxy.ts'
export { readCredentials } from './download/registry-auth.ts'
export { Servers } from './download/servers.ts'
export { type FetchOptions, fetchPackage } from './fetch.ts'
export { KEYRING, machineKeyring } from './keyring.ts'
export {
  type Architecture,
  MANIFEST_NAME,
  type PackageComponent,
  type PackageFile,
  type PackageImage,
  type PackageManifest,
  SBOM_NAME,
  serializeManifest,
} from './manifest.ts'
export {
  expectedManifest,
  type OnlinePlan,
  type OnlineStep,
  onlineVersion,
  planOnline,
} from './online/plan.ts'
export { provision } from './online/provision.ts'
export { type Download, survey } from './online/survey.ts'
export { cacheDirectory, defaultPackagePath, packageFileName, packagesDirectory } from './paths.ts'
export { filesOfRole, type PackageRole, roleNeedsFile, roleRunsImage } from './roles.ts'
export {
  readPackageFile,
  readPackageManifest,
  type UnpackOptions,
  unpackPackage,
  type VerifyOptions,
  verifyPackage,
} from './unpack.ts'
