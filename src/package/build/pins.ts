/** What edgeadm knows of published bytes: packages-manifests/shared/pins.yaml. */

import { parse } from 'yaml'
import { builtinText } from './builtin.ts'
import { type Component, fill, type Source } from './recipe.ts'

interface Pins {
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly images: Readonly<Record<string, string>>
  /** Components with their version, and repositories. */
  readonly unpinned: readonly string[]
}

let read: Pins | undefined

export function knownPins(): Pins {
  read ??= parse(builtinText('shared/pins.yaml')) as Pins
  return read
}

/** The component with the sums and digests that are known of its published sources; what a recipe says itself stays. */
export function withPins(component: Component): Component {
  const { files, images } = knownPins()
  const pinned = (source: Source): Source => {
    if (source.type === 'release' && source.sha256 === undefined) {
      const sha256 = files[`${component.name} ${component.version}`]
      return sha256 === undefined ? source : { ...source, sha256 }
    }
    if (source.type !== 'image' || source.digest !== undefined) return source
    const digest = images[fill(source.reference, { version: component.version })]
    return digest === undefined ? source : { ...source, digest }
  }
  return { ...component, sources: component.sources.map(pinned) }
}
