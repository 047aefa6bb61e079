import type { Architecture } from '../manifest.ts'
import type { Addition } from './additions.ts'

/** What packages-manifests/*.yaml say; README.md there explains each field. */

export interface Recipe {
  /** With "v"; only one of the recipes of a build names it. */
  readonly kubernetesVersion?: string
  readonly components: readonly Component[]
}

/**
 * A component makes programs (`files`), a layer for images (`layer: true`) or an image (`image`). In all texts
 * `{version}`, `{bare}` (version without "v"), `{arch}` and, in those about one program, `{name}` are filled in.
 */
export interface Component {
  readonly name: string
  readonly version: string
  /** SPDX expression. */
  readonly licence: string
  /** Path in the package -> name of the program. */
  readonly files?: Readonly<Record<string, string>>
  readonly layer?: boolean
  /** The image's full reference. */
  readonly image?: string
  /** Left out, with a line that says so, when none of its sources can be had. */
  readonly optional?: boolean
  /** In order of preference. */
  readonly sources: readonly Source[]
}

export type Source =
  | ReleaseSource
  | ImageSource
  | GoSource
  | CcSource
  | DebianSource
  | LayersSource
  | ArchiveSource
export type SourceType = Source['type']

/** The project's own published binaries. */
export interface ReleaseSource {
  readonly type: 'release'
  /** One program (has `{name}`), or an archive of several. */
  readonly url: string
  /** URL of the publisher's checksum file: bare hex, or lines of "hex  name". sha256 and sha512 are told apart by length. */
  readonly checksum?: string
  /** Pinned: architecture (or architecture/name) -> sha256 of what `url` gives. Beats the checksum file. */
  readonly sha256?: Readonly<Record<string, string>>
  /** Given: `url` is a tar archive, and this is the path in it, with `{name}`. */
  readonly member?: string
  /** Exceptions to `member`. */
  readonly members?: Readonly<Record<string, string>>
}

/** An image in a registry. */
export interface ImageSource {
  readonly type: 'image'
  readonly reference: string
  /** Pinned digest of its manifest or manifest list. */
  readonly digest?: string
}

/** Programs built from a Go module. */
export interface GoSource {
  readonly type: 'go'
  readonly module: string
  /** Default: the component's. */
  readonly version?: string
  /** Import path, with `{name}`. */
  readonly package: string
  /** Exceptions to `package`. */
  readonly packages?: Readonly<Record<string, string>>
  /** The `go` line and the `godebug` line of the wrapper module. */
  readonly go?: string
  readonly godebug?: string
  /** module -> "module version". */
  readonly replace?: Readonly<Record<string, string>>
  /** What the module's own go.mod replaces by a folder `./staging/…` becomes this published version of it. */
  readonly stagingVersion?: string
  /** Take over the replacements of the module's own go.mod, those by local folders aside. `replace` beats them. */
  readonly ownReplace?: boolean
  /** Start from the module's own go.sum: for modules that are in no checksum database. */
  readonly ownSums?: boolean
  readonly tags?: readonly string[]
  /** -X: symbol -> value. */
  readonly variables?: Readonly<Record<string, string>>
  /** CGO on and linked statically; default off. */
  readonly cgo?: boolean
  /** Debian packages with the libraries that CGO needs. */
  readonly libraries?: readonly string[]
  /** Put into a copy of the module before it is built. A recipe names them; the reader puts them here. */
  readonly additions?: readonly Addition[]
  /** The program is a main of our own that only calls this function ("import path.Name"). */
  readonly run?: string
  /** A Go file of the module. That main imports for their effects what this file so imports: the program's plugins. */
  readonly plugins?: string
  /** Import paths of plugins that are left out. */
  readonly withoutPlugins?: readonly string[]
}

/** One C file of a Go module, compiled statically. */
export interface CcSource {
  readonly type: 'cc'
  readonly module: string
  readonly version?: string
  readonly file: string
  readonly flags?: readonly string[]
}

/** A layer cut out of Debian (or Ubuntu) packages, with what they depend on. */
export interface DebianSource {
  readonly type: 'debian'
  readonly packages: readonly string[]
  /** Globs of the files to keep; the libraries and the interpreter that kept programs need come along. Default: everything. */
  readonly keep?: readonly string[]
  /** Link -> target: packages' own installation scripts do not run. */
  readonly links?: Readonly<Record<string, string>>
  /** Path -> contents. */
  readonly texts?: Readonly<Record<string, string>>
  /** Path -> glob: one file of many. */
  readonly joined?: Readonly<Record<string, string>>
  /** Empty folder -> octal mode. */
  readonly folders?: Readonly<Record<string, string>>
}

/** An image put together from layers. */
export interface LayersSource {
  readonly type: 'layers'
  /** A layer component's name, or path in the image -> "component/program". */
  readonly layers: readonly (string | Readonly<Record<string, string>>)[]
  readonly entrypoint?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly user?: string
  /** Path in the image -> capability, raised when the program starts (as `setcap NAME=+ep`). */
  readonly capabilities?: Readonly<Record<string, string>>
}

/** A file of the user's: an OCI archive for an image, a tar archive for programs. */
export interface ArchiveSource {
  readonly type: 'archive'
  readonly file: string
}

/** Fills in `{version}`, `{bare}`, `{arch}` and others. @throws Error on a name that is not known */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{([a-zA-Z]+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`${whole} in ${JSON.stringify(text)} stands for nothing`)
    return value
  })
}

/** The values for {@link fill} in texts of one component. */
export function valuesOf(component: Component, arch: Architecture): Record<string, string> {
  return { version: component.version, bare: component.version.replace(/^v/, ''), arch }
}
