/**
 * Makes build/library, the npm package `edgeadm` for programs: JavaScript with types, templates, and what it depends on.
 * `npm run release` packs it.
 */

import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = 'build/library'

rmSync(FOLDER, { recursive: true, force: true })
execFileSync('node_modules/.bin/tsc', ['--project', 'tsconfig.library.json'], { stdio: 'inherit' })
cpSync('templates', join(FOLDER, 'templates'), { recursive: true })
copyFileSync('README.md', join(FOLDER, 'README.md'))
const { version, description, license, type, engines, dependencies, devDependencies } = JSON.parse(
  readFileSync('package.json', 'utf8'),
) as Readonly<Record<string, unknown>> &
  Readonly<Record<`${'d' | 'devD'}ependencies`, Record<string, string>>>
const used = imported()
writeFileSync(
  join(FOLDER, 'package.json'),
  `${JSON.stringify(
    {
      name: 'edgeadm',
      version,
      description,
      license,
      type,
      engines,
      exports: { '.': { types: './src/library.d.ts', default: './src/library.js' } },
      // Types of others are part of its own.
      dependencies: Object.fromEntries(
        Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) =>
          used.has(name.replace(/^@types\//, '')),
        ),
      ),
    },
    null,
    2,
  )}\n`,
)

/** Packages that the library's files name. */
function imported(): Set<string> {
  const names = new Set<string>()
  for (const file of readdirSync(join(FOLDER, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!/\.(js|d\.ts)$/.test(file)) continue
    const text = readFileSync(join(FOLDER, 'src', file), 'utf8')
    for (const [, name = ''] of text.matchAll(
      /(?:from|import)\s*\(?\s*'((?:@[\w-]+\/)?[\w.-]+)(?:\/[^']*)?'/g,
    ))
      names.add(name)
  }
  return names
}
