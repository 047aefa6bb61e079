import type { Reporting } from '../../output/events.ts'
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
  /** An image: its manifest, and all its blobs (the manifest too) in `blobs/HEX`. */
  readonly image?: { readonly manifest: Blob; readonly blobs: readonly Blob[] }
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
  /** Base that replaces the publishers' servers. */
  readonly mirror?: string
  /** A component that this one is made of; already made. */
  readonly made: (name: string) => MadeComponent
}

/** `HEX` of `sha256:HEX`, the name of a blob's file. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1)
}
