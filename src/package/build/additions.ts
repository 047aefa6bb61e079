import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseDocument } from 'yaml'
import { messageOf } from '../../output/errors.ts'
import type { PackageAddition } from '../manifest.ts'
import { unsafePath } from '../paths.ts'
import { builtinText, isPath } from './builtin.ts'
import { checkObject, isObject } from './check-shape.ts'
import { ADDITION, STATEMENT } from './recipe-schema.ts'

/** The program that puts additions into a module's source. */
const INSERT = 'additions/insert.go'

/** One addition to a module's source; packages-manifests/README.md describes its file addition.yaml. */
export interface Addition {
  /** Its folder below additions/: `kubeedge/node-identity`. */
  readonly name: string
  readonly what: string
  readonly why: string
  readonly upstream: string
  /** What is open where it is missing: one sentence. */
  readonly without: string
  /** Of the component; those that it changes. */
  readonly programs: readonly string[]
  /** Path of the module that it changes, one that the recipe's depends on; undefined: the recipe's own. */
  readonly module: string | undefined
  readonly files: readonly AddedFile[]
  readonly statements: readonly AddedStatement[]
}

interface AddedFile {
  /** Relative to the module. */
  readonly folder: string
  readonly name: string
  readonly contents: string
  /** The package is our own; else it has to be there. */
  readonly newPackage: boolean
}

/** Put at the start of a function (`start`), or in place of its calls of `call` (`with`). */
export interface AddedStatement {
  readonly file: string
  /** `Name`, or `Type.Name` of a method. */
  readonly function: string
  /** Name -> import path. */
  readonly imports: Readonly<Record<string, string>>
  readonly start: string
  readonly call: string
  /** A Go expression; `{call}`, `{args}` and `{receiver}` stand for those of the call. */
  readonly with: string
  /** How many such calls there are. */
  readonly times: number
}

/** Reads additions of a recipe: of edgeadm's own from those that come with it, else from the folder beside it. */
export async function readAdditions(
  names: readonly string[],
  recipe: string,
  problems: string[],
): Promise<Addition[]> {
  const text = async (path: string) =>
    isPath(recipe) ? readFile(join(dirname(recipe), path), 'utf8') : builtinText(path)
  const additions: Addition[] = []
  for (const name of names) {
    const at = `additions/${name}/addition.yaml`
    try {
      if (unsafePath(name)) throw new Error('its name leads out of the folder')
      const addition = await readAddition(name, at, text, problems)
      if (addition !== undefined) additions.push(addition)
    } catch (error) {
      problems.push(`${recipe}: the addition ${name} cannot be read: ${messageOf(error)}`)
    }
  }
  return additions
}

async function readAddition(
  name: string,
  at: string,
  text: (path: string) => Promise<string>,
  problems: string[],
): Promise<Addition | undefined> {
  const document = parseDocument(await text(at))
  if (document.errors[0] !== undefined) throw document.errors[0]
  const value = document.toJS() as unknown
  const before = problems.length
  checkObject(value, ADDITION, at, problems)
  const { files = {}, newPackages = {}, statements = [], ...heading } = isObject(value) ? value : {}
  if (Array.isArray(statements))
    for (const [index, statement] of statements.entries()) {
      checkObject(statement, STATEMENT, `${at}: statements[${index}]`, problems)
      if (isObject(statement) && (statement.start === undefined) === (statement.call === undefined))
        problems.push(`${at}: statements[${index}]: has to have either start, or call and with`)
      if (isObject(statement) && (statement.call === undefined) !== (statement.with === undefined))
        problems.push(`${at}: statements[${index}]: call and with belong together`)
    }
  if (problems.length > before) return undefined
  const added = async (folders: unknown, newPackage: boolean): Promise<AddedFile[]> =>
    Promise.all(
      Object.entries(folders as Record<string, string>).map(async ([file, folder]) => ({
        folder,
        // Other names than upstream's, now and later.
        name: `edgeadm_${file}`,
        contents: await text(`additions/${name}/${file}`),
        newPackage,
      })),
    )
  return {
    ...(heading as Pick<Addition, 'what' | 'why' | 'upstream' | 'without' | 'programs'>),
    name,
    module: heading.module as string | undefined,
    files: [...(await added(files, false)), ...(await added(newPackages, true))],
    statements: (statements as Partial<AddedStatement>[]).map((statement) => ({
      file: String(statement.file),
      function: String(statement.function),
      imports: statement.imports ?? {},
      start: statement.start ?? '',
      call: statement.call ?? '',
      with: statement.with ?? '',
      times: Number(statement.times ?? 1),
    })),
  }
}

/** The source of the program that puts additions into a module. */
export function insertProgram(): string {
  return builtinText(INSERT)
}

/** Everything about additions that bytes depend on, hashed: their headings do not count. */
export function digestOf(additions: readonly Addition[]): string {
  const parts = additions.map(({ name, module, files, statements }) => ({ name, module, files, statements }))
  return createHash('sha256')
    .update(JSON.stringify([insertProgram(), parts]))
    .digest('hex')
}

/** What a package's manifest says about an addition. */
export function inManifest(addition: Addition): PackageAddition {
  const { name, what, why, upstream } = addition
  return { name, what, why, upstream, sha256: digestOf([addition]) }
}
