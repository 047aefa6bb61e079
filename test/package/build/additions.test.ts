import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type Addition, digestOf, inManifest } from '../../../src/package/build/additions.ts'
import { carriedAdditions } from '../../../src/package/build/carried-additions.ts'
import { chooseSources } from '../../../src/package/build/choose.ts'
import { readRecipes } from '../../../src/package/build/read-recipe.ts'
import type { Component, GoSource } from '../../../src/package/build/recipe.ts'
import { addToModules } from '../../../src/package/build/sources/go-additions.ts'
import { describeManifest } from '../../../src/package/describe.ts'
import { serveFiles } from '../server.ts'
import { reporter, temporaryFolder } from '../synthetic.ts'
import { recipe } from './fixtures.ts'

/** A program of two packages, as upstream might have it. */
const MODULE = {
  'go.mod': 'module example.org/tiny\n\ngo 1.21\n',
  'main.go': `package main

import (
	"fmt"

	"example.org/tiny/greet"
)

func main() {
	fmt.Println((&greet.Greeter{Name: "you"}).Greet("hello"))
}
`,
  'greet/greet.go': `package greet

import "strings"

// Greeter greets.
type Greeter struct{ Name string }

// Greet returns a greeting.
func (g *Greeter) Greet(word string) string {
	// Comments stay where they are.
	return strings.ToUpper(strings.Join([]string{word, g.Name}, " "))
}
`,
}

const HEADING = {
  what: 'It greets more politely.',
  why: 'Nobody likes shouting.',
  upstream: 'Not reported.',
  without: 'It shouts.',
  programs: ['tiny'],
}

const POLITE = {
  ...HEADING,
  files: { 'polite.go': 'greet' },
  newPackages: { 'words.go': 'edgeadm/words' },
  statements: [
    { file: 'greet/greet.go', function: 'Greeter.Greet', start: 'word = polite(word)' },
    {
      file: 'greet/greet.go',
      function: 'Greeter.Greet',
      imports: { words: 'example.org/tiny/edgeadm/words' },
      call: 'strings.ToUpper',
      with: 'words.Title({args})',
    },
  ],
}

const FILES = {
  'polite.go': 'package greet\n\nfunc polite(word string) string { return "dear " + word }\n',
  'words.go': 'package words\n\nfunc Title(text string) string { return "<" + text + ">" }\n',
}

function write(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** A recipe with an addition, as its reader gives it. */
async function read(
  addition: object,
  files: Readonly<Record<string, string>> = FILES,
): Promise<{ component: Component; components: readonly Component[]; additions: readonly Addition[] }> {
  const sources = [
    { type: 'release', url: 'https://tiny.invalid/{name}' },
    {
      type: 'go',
      module: 'example.org/tiny',
      package: 'example.org/tiny',
      additions: ['tiny/polite'],
    },
  ]
  const path = recipe([
    { name: 'tiny', version: 'v1', licence: 'MIT', files: { 'bin/tiny': 'tiny' }, sources },
    {
      name: 'tiny-image',
      version: 'v1',
      licence: 'MIT',
      image: 'tiny.invalid/tiny',
      sources: [
        { type: 'image', reference: 'tiny.invalid/tiny' },
        { type: 'layers', layers: [{ '/tiny': 'tiny/tiny' }] },
      ],
    },
  ])
  const folder = join(dirname(path), 'additions/tiny/polite')
  write(folder, { ...files, 'addition.yaml': stringify(addition) })
  const { components } = await readRecipes([path])
  const component = components[0] as Component
  return { component, components, additions: (component.sources[1] as GoSource).additions ?? [] }
}

/** A module as in Go's cache: nothing in it may be written. */
function cached(module: Readonly<Record<string, string>>): string {
  const folder = write(temporaryFolder(), module)
  execFileSync('chmod', ['-R', 'a-w', folder])
  return folder
}

async function built(addition: object, module: Readonly<Record<string, string>> = MODULE): Promise<string> {
  const { additions } = await read(addition)
  const find = async () => ({ version: 'v1', folder: cached(module) })
  const work = temporaryFolder()
  const copies = await addToModules(additions, 'example.org/tiny', find, work, reporter().signal)
  return join(work, String(copies.get('example.org/tiny')?.folder))
}

const run = (folder: string) => execFileSync('go', ['run', '.'], { cwd: folder, encoding: 'utf8' }).trim()

test('files and statements get into a copy of the module, which builds', { timeout: 120_000 }, async () => {
  const copy = await built(POLITE)
  expect(run(copy)).toBe('<dear hello you>')
  expect(readFileSync(join(copy, 'greet/greet.go'), 'utf8')).toContain('// Comments stay where they are.')
  const plain = temporaryFolder()
  cpSync(copy, plain, { recursive: true })
  write(plain, MODULE)
  expect(run(plain)).toBe('HELLO YOU')
})

test('an addition to a module that the one of the recipe depends on', { timeout: 120_000 }, async () => {
  const other = {
    'go.mod': 'module example.org/loud\n\ngo 1.21\n',
    'loud.go': 'package loud\n\nfunc Say() []int { return make([]int, 1) }\n',
  }
  const statement = { file: 'loud.go', function: 'Say', call: 'make', with: 'make({args}, 7)' }
  const { additions } = await read({ ...HEADING, module: 'example.org/loud', statements: [statement] }, {})
  const find = async (path: string) => ({
    version: 'v2',
    folder: cached(path === 'example.org/loud' ? other : MODULE),
  })
  const work = temporaryFolder()
  const copies = await addToModules(additions, 'example.org/tiny', find, work, reporter().signal)
  expect([...copies]).toEqual([['example.org/loud', { version: 'v2', folder: './example.org_loud' }]])
  expect(readFileSync(join(work, 'example.org_loud/loud.go'), 'utf8')).toContain('make([]int, 1, 7)')
})

test('a name that upstream changed stops the build with one sentence', { timeout: 120_000 }, async () => {
  const changed = (from: string, to: string) => ({
    ...MODULE,
    'greet/greet.go': MODULE['greet/greet.go'].replaceAll(from, to),
  })
  const head = 'example.org/tiny v1: the addition tiny/polite does not fit: '
  const cases: [module: Readonly<Record<string, string>>, sentence: string][] = [
    [changed('Greet(', 'Welcome('), 'greet/greet.go has no function Greeter.Greet'],
    [changed('ToUpper', 'ToTitle'), 'calls strings.ToUpper 0 times, not 1 times'],
    [
      { 'go.mod': MODULE['go.mod'], 'main.go': 'package main\n\nfunc main() {}\n' },
      'the module has no file greet/greet.go with the function Greeter.Greet',
    ],
    [
      { ...MODULE, 'edgeadm/words/own.go': 'package words\n' },
      'the module has a package edgeadm/words of its own now',
    ],
  ]
  for (const [module, sentence] of cases) {
    const error = await built(POLITE, module).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ class: 'package' })
    const { message, details = [] } = error as { message?: string; details?: readonly string[] }
    expect(message).toContain(head)
    expect([message, ...details].join('\n')).toContain(sentence)
  }
})

test('what is wrong with addition.yaml is told with its place', async () => {
  const { why: _, ...noReason } = POLITE
  const wrong = {
    ...noReason,
    statements: [
      { file: 'a.go', function: 'F' },
      { file: 'a.go', call: 'x.Y' },
    ],
  }
  const error = (await read(wrong).catch((thrown: Error) => thrown)) as Error & { details: string[] }
  const text = [error.message, ...error.details].join('\n')
  for (const part of [
    'additions/tiny/polite/addition.yaml: why is missing',
    'statements[0]: has to have either start, or call and with',
    'statements[1]: function is missing',
    'statements[1]: call and with belong together',
  ])
    expect(text).toContain(part)
  await expect(read(POLITE, {})).rejects.toThrow('the addition tiny/polite cannot be read')
})

test('files and statements count for the cache, the heading does not', async () => {
  const digest = async (addition: object, files = FILES) => digestOf((await read(addition, files)).additions)
  const first = await digest(POLITE)
  expect(await digest({ ...POLITE, why: 'Another reason.' })).toBe(first)
  expect(await digest(POLITE, { ...FILES, 'polite.go': `${FILES['polite.go']}\n` })).not.toBe(first)
  expect(await digest({ ...POLITE, statements: POLITE.statements.slice(1) })).not.toBe(first)
})

test('a component with additions is built here even where its publisher answers, and its image too', async () => {
  const { components, additions } = await read(POLITE)
  const server = await serveFiles({})
  const types = async (source?: 'release' | 'go') => {
    const options = { ...reporter(), mirror: server.url, archives: {} }
    const choose = await chooseSources(components, source === undefined ? options : { ...options, source })
    return components.map((each) => choose(each)?.type)
  }
  expect(await types()).toEqual(['go', 'layers'])
  expect(server.requests.length).toBeGreaterThan(0)
  expect(await types('release')).toEqual(['release', 'image'])
  const image = components[1] as Component
  const source = image.sources[1] as GoSource
  const goSource = (components[0] as Component).sources[1] as GoSource
  expect(carriedAdditions({ component: image, source }, () => goSource)).toEqual(additions)
})

test('the manifest names additions, and inspect shows them', async () => {
  const { additions } = await read(POLITE)
  const entry = { name: 'tiny', version: 'v1', licence: 'MIT', source: 'go:example.org/tiny' }
  const text = describeManifest({
    schema: 'edgeadm.io/package/v1alpha1',
    kubernetesVersion: 'v1.33.13',
    edgeVersion: '0.1.0',
    arch: 'amd64',
    files: [],
    images: [],
    components: [{ ...entry, additions: additions.map(inManifest) }],
  })
  expect(text).toMatch(/tiny +tiny\/polite +[0-9a-f]{12} +It greets more politely\./)
})
