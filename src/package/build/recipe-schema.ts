/** The shape of a recipe: for each kind of object, its fields and what they hold. `?` marks an optional one. */

export type FieldType = 'text' | 'flag' | 'texts' | 'map' | 'number' | 'objects' | 'layers' | 'sources'
export type Shape = Readonly<Record<string, FieldType | `${FieldType}?`>>

export const COMPONENT: Shape = {
  name: 'text',
  version: 'text',
  licence: 'text',
  files: 'map?',
  layer: 'flag?',
  image: 'text?',
  optional: 'flag?',
  sources: 'sources',
}

export const SOURCES: Readonly<Record<string, Shape>> = {
  release: {
    type: 'text',
    url: 'text',
    checksum: 'text?',
    sha256: 'map?',
    member: 'text?',
    members: 'map?',
  },
  image: { type: 'text', reference: 'text', digest: 'text?' },
  go: {
    type: 'text',
    module: 'text',
    version: 'text?',
    package: 'text',
    packages: 'map?',
    go: 'text?',
    godebug: 'text?',
    replace: 'map?',
    stagingVersion: 'text?',
    ownReplace: 'flag?',
    ownSums: 'flag?',
    tags: 'texts?',
    variables: 'map?',
    cgo: 'flag?',
    libraries: 'texts?',
    additions: 'texts?',
    run: 'text?',
    plugins: 'text?',
    withoutPlugins: 'texts?',
  },
  cc: { type: 'text', module: 'text', version: 'text?', file: 'text', flags: 'texts?' },
  debian: {
    type: 'text',
    packages: 'texts',
    keep: 'texts?',
    links: 'map?',
    texts: 'map?',
    joined: 'map?',
    folders: 'map?',
  },
  layers: {
    type: 'text',
    layers: 'layers',
    entrypoint: 'texts?',
    env: 'map?',
    user: 'text?',
    capabilities: 'map?',
  },
  archive: { type: 'text', file: 'text' },
}

/** An addition to a module's source: addition.yaml. */
export const ADDITION: Shape = {
  what: 'text',
  why: 'text',
  upstream: 'text',
  without: 'text',
  programs: 'texts',
  module: 'text?',
  files: 'map?',
  newPackages: 'map?',
  statements: 'objects?',
}

export const STATEMENT: Shape = {
  file: 'text',
  function: 'text',
  imports: 'map?',
  start: 'text?',
  call: 'text?',
  with: 'text?',
  times: 'number?',
}
