/** What a package says of its own parts: sbom.cdx.json, and the texts of their licences under licences/. */

import { createHash } from 'node:crypto'
import type { Reporting } from '../../../output/events.ts'
import { type Architecture, SBOM_NAME } from '../../manifest.ts'
import { type SbomEntry, sbomDocument } from '../../sbom/document.ts'
import type { Step } from '../plan.ts'
import type { MadeComponent } from '../record.ts'
import { programPath } from '../sources/programs.ts'
import { type GoModule, readGoBuildInfo } from './go-build-info.ts'
import { licenceOf, moduleLicences } from './module-licences.ts'

export interface SbomOptions extends Reporting {
  readonly kubernetesVersion: string
  readonly edgeVersion: string
  readonly arch: Architecture
  readonly steps: readonly Step[]
  readonly made: ReadonlyMap<string, MadeComponent>
}

/** Path in the package -> text. The same components give the same texts. */
export async function sbomContents(options: SbomOptions): Promise<Map<string, string>> {
  const programs = await readPrograms(options)
  const modules = new Map(
    programs.flatMap(({ modules }) =>
      modules.map((module) => [`${module.path}@${module.version}`, module] as const),
    ),
  )
  const licences = await moduleLicences([...modules.values()], options)
  const texts = new Map<string, string>()
  const keep = (text: string): string => {
    const path = `licences/${createHash('sha256').update(text).digest('hex').slice(0, 16)}.txt`
    texts.set(path, text)
    return path
  }
  const moduleEntry = ({ path, version }: GoModule): SbomEntry => {
    const found = licences.get(`${path}@${version}`) ?? []
    const licence = found.map(licenceOf).find((each) => each !== undefined)
    return {
      kind: 'library',
      name: path,
      version,
      purl: `pkg:golang/${path}@${encodeURIComponent(version)}`,
      ...(licence === undefined ? {} : { licence }),
      licenceFiles: found.map(keep),
    }
  }
  const entries = options.steps.map((step): SbomEntry => {
    const { component } = step
    const { record } = options.made.get(component.name) as MadeComponent
    return {
      kind: component.image === undefined ? 'application' : 'container',
      name: component.name,
      version: component.version,
      licence: component.licence,
      properties: { 'edgeadm:source': record.source },
      parts: [
        ...programs
          .filter((program) => program.component === component.name)
          .map(
            ({ name, sha256, goVersion, modules }): SbomEntry => ({
              kind: 'file',
              name,
              sha256,
              ...(goVersion === undefined ? {} : { properties: { 'edgeadm:go': goVersion } }),
              parts: modules.map(moduleEntry),
            }),
          ),
        ...(record.packages ?? []).map(
          ({ name, version, copyright }): SbomEntry => ({
            kind: 'library',
            name,
            version,
            purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${options.arch}`,
            licenceFiles: copyright === '' ? [] : [keep(copyright)],
          }),
        ),
      ],
    }
  })
  const subject: SbomEntry = {
    kind: 'application',
    name: 'edgeadm-package',
    version: options.edgeVersion,
    properties: {
      'edgeadm:kubernetes': options.kubernetesVersion,
      'edgeadm:platform': `linux/${options.arch}`,
    },
  }
  texts.set(SBOM_NAME, sbomDocument(subject, entries))
  return texts
}

interface Program {
  readonly component: string
  readonly name: string
  readonly sha256: string
  readonly goVersion?: string
  readonly modules: readonly GoModule[]
}

async function readPrograms({ steps, made }: SbomOptions): Promise<Program[]> {
  const programs: Program[] = []
  for (const { component } of steps) {
    const { folder, record } = made.get(component.name) as MadeComponent
    for (const { name, sha256 } of record.files ?? []) {
      const info = await readGoBuildInfo(programPath(folder, name))
      programs.push({ component: component.name, name, sha256, modules: [], ...info })
    }
  }
  return programs
}
