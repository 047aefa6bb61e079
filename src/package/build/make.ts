import type { Source } from './recipe.ts'
import type { ComponentRecord, MakeContext } from './record.ts'
import { makeFromArchive } from './sources/archive.ts'
import { makeFromCc } from './sources/cc.ts'
import { makeFromDebian } from './sources/debian.ts'
import { makeFromGo } from './sources/go.ts'
import { makeFromImage } from './sources/image.ts'
import { makeFromLayers } from './sources/layers.ts'
import { makeFromRelease } from './sources/release.ts'

/** Makes a component from one of its sources. */
export function makeComponent(source: Source, context: MakeContext): Promise<ComponentRecord> {
  switch (source.type) {
    case 'release':
      return makeFromRelease(source, context)
    case 'image':
      return makeFromImage(source, context)
    case 'go':
      return makeFromGo(source, context)
    case 'cc':
      return makeFromCc(source, context)
    case 'debian':
      return makeFromDebian(source, context)
    case 'layers':
      return makeFromLayers(source, context)
    case 'archive':
      return makeFromArchive(source, context)
  }
}
