import type { Reporting } from '../../output/events.ts'
import type { Servers } from '../download/servers.ts'
import type { Architecture } from '../manifest.ts'
import type { Component } from './recipe.ts'

/** What making a component left in its folder of the cache; kept there as record.json. */
export interface ComponentRecord {
  /** Where it came from, for the package's manifest. */
  readonly source: string
  /** Programs: in `files/NAME`. */
  readonly files?: readonly { readonly name: string; readonly size: number; readonly sha256: string }[]
  /** A layer: in `layer.tar`. */
  readonly layer?: Blob
  /** Debian packages that it was taken from, by name. */
  readonly packages?: readonly DebianPackage[]
  /** An image: its manifest, and all its blobs (the manifest too) in `blobs/HEX`. */
  readonly image?: { readonly manifest: Blob; readonly blobs: readonly Blob[] }
}

export interface DebianPackage {
  readonly name: string
  readonly version: string
  /** The text of its /usr/share/doc/NAME/copyright; empty if it has none. */
  readonly copyright: string
}

export interface Blob {
  /** `sha256:…` */
  readonly digest: string
  /** Bytes. */
  readonly size: number
}

export interface MadeComponent {
  readonly folder: string
  readonly record: ComponentRecord
}

export interface MakeContext extends Reporting {
  readonly component: Component
  readonly arch: Architecture
  /** Names of the programs that are wanted. */
  readonly programs: readonly string[]
  /** Fresh folder to make it in. */
  readonly folder: string
  /** Where releases and images may be had. */
  readonly servers: Servers
  /** Folder of this component's own for downloads until they are whole; one that broke off is gone on with by the next build. */
  readonly downloads: string
  /** A component that this one is made of; already made. */
  readonly made: (name: string) => MadeComponent
}

/** `HEX` of `sha256:HEX`, the name of a blob's file. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1)
}
