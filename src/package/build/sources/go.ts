import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { progressSteps } from '../../progress.ts'
import { tool } from '../command.ts'
import { fill, type GoSource, valuesOf } from '../recipe.ts'
import type { ComponentRecord, MakeContext } from '../record.ts'
import { compilerFor } from '../requirements.ts'
import { addToModules, type ModuleCopy } from './go-additions.ts'
import { pluginsOf } from './go-plugins.ts'
import { programPath, recordPrograms } from './programs.ts'

/** The module path of what is built around a program. */
const WRAPPER = 'edgeadm.local/wrapper'

interface GoModule {
  readonly Version: string
  readonly GoMod: string
  readonly Dir: string
}

/**
 * Builds programs of a Go module inside a wrapper module of our own, which pins its version and replacements; the rest
 * of the versions follow from the module's own go.mod. Downloads are verified against Go's checksum database.
 */
export async function makeFromGo(source: GoSource, context: MakeContext): Promise<ComponentRecord> {
  const { component, arch, programs, folder, signal, emit } = context
  const version = source.version ?? component.version
  const packages = new Map(programs.map((name) => [name, packageOf(source, name)]))
  const work = join(folder, 'work')
  await mkdir(join(work, 'out'), { recursive: true })
  const env = environment(source, context)
  const go = (title: string, args: readonly string[], onLine?: (line: string) => boolean) =>
    tool(title, 'go', args, { cwd: work, env, signal, ...(onLine === undefined ? {} : { onLine }) })

  await writeFile(join(work, 'go.mod'), `module ${WRAPPER}\n`)
  const module = await downloadModule(`${source.module}@${version}`, go)
  if (source.ownSums === true) await copyFile(join(module.Dir, 'go.sum'), join(work, 'go.sum'))
  const find = async (path: string) => {
    // Which version of a dependency the build takes is known once there is a go.mod.
    const { Version, Dir } = path === source.module ? module : await downloadModule(path, go)
    return { version: Version, folder: Dir }
  }
  const goMod = join(work, 'go.mod')
  await writeFile(goMod, await wrapperModule(source, version, module, new Map()))
  const copies = await addToModules(source.additions ?? [], source.module, find, work, signal)
  await writeFile(goMod, await wrapperModule(source, version, module, copies))
  if (source.run === undefined) await writeFile(join(work, 'tools.go'), toolsFile([...packages.values()]))
  else await writeMains(work, source.run, await pluginsOf(source, module.Dir), programs)

  const flags = ['-mod=mod', ...(source.tags === undefined ? [] : [`-tags=${source.tags.join(',')}`])]
  const importPaths = [...new Set(packages.values())]
  const listed = await go(`resolving the modules of ${component.name}`, [
    'list',
    ...flags,
    '-deps',
    ...importPaths,
  ])
  const total = listed.split('\n').length
  const progress = progressSteps(emit, `compile ${component.name} ${component.version}`, total, 'items')
  let done = 0
  await go(
    `compiling ${component.name} ${version}`,
    [
      'build',
      '-v',
      ...flags,
      '-trimpath',
      // Debug information is stripped by the linker: compilers need not make it. A fifth of their time.
      '-gcflags=all=-dwarf=false',
      `-ldflags=${linkerFlags(source, context)}`,
      '-o',
      'out/',
      ...importPaths,
    ],
    (line) => {
      // `-v` writes the path of a package; the compiler's own words have spaces.
      const isPackage = /^\S+$/.test(line)
      if (isPackage) progress(Math.min(++done, total))
      return isPackage
    },
  )
  progress(total)

  await mkdir(join(folder, 'files'), { recursive: true })
  for (const [name, importPath] of packages)
    await rename(join(work, 'out', executableName(importPath)), programPath(folder, name))
  await rm(work, { recursive: true })
  return recordPrograms(context, `go:${source.module}@${version} (linux/${arch})`)
}

/** The Go toolchain's version, part of what a build's result depends on. */
export async function goVersion(signal: AbortSignal): Promise<string> {
  return (await tool('asking Go for its version', 'go', ['env', 'GOVERSION'], { signal })).trim()
}

function packageOf(source: GoSource, name: string): string {
  if (source.run !== undefined) return `${WRAPPER}/${name}`
  return source.packages?.[name] ?? fill(source.package, { name })
}

async function downloadModule(
  module: string,
  go: (title: string, args: readonly string[]) => Promise<string>,
): Promise<GoModule> {
  return JSON.parse(await go(`downloading ${module}`, ['mod', 'download', '-json', module])) as GoModule
}

async function wrapperModule(
  source: GoSource,
  version: string,
  module: GoModule,
  copies: ReadonlyMap<string, ModuleCopy>,
): Promise<string> {
  const own = await readFile(module.GoMod, 'utf8')
  const language = source.go ?? /^go (\S+)$/m.exec(own)?.[1] ?? '1.21'
  const replace = new Map(Object.entries(source.ownReplace === true ? ownReplacements(own) : {}))
  for (const [from, to] of Object.entries(source.replace ?? {})) replace.set(from, to)
  if (source.stagingVersion !== undefined)
    for (const [, path] of own.matchAll(/^\s*(?:replace\s+)?(\S+)\s+=>\s+\.\/staging\//gm))
      replace.set(String(path), `${path} ${source.stagingVersion}`)
  // Relative: the path gets into the program. Go's overlays cannot change what is in the module cache.
  for (const [path, { folder }] of copies) replace.set(path, folder)
  // A program names the versions that are required, also where a copy is built.
  const required = new Map([...copies].map(([path, copy]) => [path, copy.version]))
  required.set(source.module, version)
  return [
    `module ${WRAPPER}`,
    `go ${language}`,
    ...(source.godebug === undefined ? [] : [`godebug ${source.godebug}`]),
    ...[...required].map(([path, wanted]) => `require ${path} ${wanted}`),
    ...[...replace].map(([from, to]) => `replace ${from} => ${to}`),
    '',
  ].join('\n\n')
}

/** `module [version] => module version` of a go.mod; Go applies them only where the module itself is built. */
function ownReplacements(goMod: string): Record<string, string> {
  const lines = goMod.matchAll(/^\s*(?:replace\s+)?(\S+(?: v\S+)?)\s+=>\s+([^.\s]\S*\s+v\S+)/gm)
  return Object.fromEntries([...lines].map(([, from, to]) => [String(from), String(to)]))
}

/** A main package per program, which imports `imports` for their effects and calls the function `run`. */
async function writeMains(
  work: string,
  run: string,
  imports: readonly string[],
  programs: readonly string[],
): Promise<void> {
  const at = run.lastIndexOf('.')
  const lines = [
    'package main',
    '',
    'import (',
    `\trun "${run.slice(0, at)}"`,
    ...imports.map((path) => `\t_ "${path}"`),
    ')',
    '',
    `func main() { run.${run.slice(at + 1)}() }`,
    '',
  ]
  for (const program of programs) {
    await mkdir(join(work, program))
    await writeFile(join(work, program, 'main.go'), lines.join('\n'))
  }
}

/** Blank imports keep the wrapper's requirements on what is built. */
function toolsFile(packages: readonly string[]): string {
  return [
    '//go:build tools',
    '',
    'package tools',
    '',
    'import (',
    ...packages.map((path) => `\t_ "${path}"`),
    ')',
    '',
  ].join('\n')
}

function environment(source: GoSource, { arch }: MakeContext): Record<string, string> {
  return {
    GOOS: 'linux',
    GOARCH: arch,
    GOFLAGS: '-buildvcs=false',
    GOWORK: 'off',
    CGO_ENABLED: source.cgo === true ? '1' : '0',
    ...(source.cgo === true ? { CC: compilerFor(arch) } : {}),
  }
}

function linkerFlags(source: GoSource, { component, arch }: MakeContext): string {
  const values = valuesOf(component, arch)
  const variables = Object.entries(source.variables ?? {}).map(
    ([name, value]) => `-X=${name}=${fill(value, values)}`,
  )
  return [
    '-s',
    '-w',
    '-buildid=',
    ...variables,
    // Where C comes in by the standard library alone, Go's own linker would make a dynamic program.
    ...(source.cgo === true ? ['-linkmode=external', '-extldflags=-static'] : []),
  ].join(' ')
}

/** How `go build` names the program of an import path: its last part, a major version's suffix aside. */
function executableName(importPath: string): string {
  const parts = importPath.split('/')
  const last = parts.at(-1) ?? ''
  return /^v\d+$/.test(last) ? (parts.at(-2) ?? last) : last
}
