/** A software bill of materials in CycloneDX 1.6 (JSON). The same entries give the same bytes: no date, no random number. */

import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'

export interface SbomEntry {
  readonly kind: 'application' | 'library' | 'container' | 'file'
  readonly name: string
  readonly version?: string
  /** Package URL (https://github.com/package-url/purl-spec). */
  readonly purl?: string
  /** SPDX expression, as the component's recipe or package says. */
  readonly licence?: string
  /** Lower-case hex. */
  readonly sha256?: string
  /** Where the texts of its licences are, relative to the document. */
  readonly licenceFiles?: readonly string[]
  /** Further facts, name -> value. */
  readonly properties?: Readonly<Record<string, string>>
  /** What it is made of. */
  readonly parts?: readonly SbomEntry[]
}

/** @param subject what the document describes */
export function sbomDocument(subject: SbomEntry, entries: readonly SbomEntry[]): string {
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: component(subject, '') }),
    components: new Models.ComponentRepository(entries.map((entry) => component(entry, ''))),
  })
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6))
  return `${serializer.serialize(bom, { sortLists: true, space: 1 })}\n`
}

const KINDS = {
  application: Enums.ComponentType.Application,
  library: Enums.ComponentType.Library,
  container: Enums.ComponentType.Container,
  file: Enums.ComponentType.File,
} as const

function component(entry: SbomEntry, within: string): Models.Component {
  const { kind, name, version, purl, licence, sha256, licenceFiles = [], properties = {}, parts = [] } = entry
  const ref = `${within}${purl ?? `${kind}:${name}${version === undefined ? '' : `@${version}`}`}`
  const facts = [
    ...Object.entries(properties),
    ...licenceFiles.map((path): [string, string] => ['edgeadm:licence-file', path]),
  ]
  return new Models.Component(KINDS[kind], name, {
    // Written out: the library makes random ones otherwise.
    bomRef: ref,
    ...(version === undefined ? {} : { version }),
    ...(purl === undefined ? {} : { purl }),
    licenses: new Models.LicenseRepository(
      licence === undefined ? [] : [new Models.LicenseExpression(licence)],
    ),
    hashes: new Models.HashDictionary(sha256 === undefined ? [] : [[Enums.HashAlgorithm['SHA-256'], sha256]]),
    properties: new Models.PropertyRepository(facts.map(([key, value]) => new Models.Property(key, value))),
    components: new Models.ComponentRepository(parts.map((part) => component(part, `${ref}|`))),
  })
}
