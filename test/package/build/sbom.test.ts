/** The bill of materials of a package: from the modules' and Debian's own data, the same bytes each time. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { type SbomOptions, sbomContents } from '../../../src/package/build/sbom/contents.ts'
import { readGoBuildInfo } from '../../../src/package/build/sbom/go-build-info.ts'
import { licenceOf } from '../../../src/package/build/sbom/module-licences.ts'
import { reporter, temporaryFolder } from '../synthetic.ts'

const HELPER = 'github.com/edgeadm/Example-helper'
let folder: string

/** A program of two modules, one in place of another; the licence is in Go's module cache of the test's own. */
beforeAll(() => {
  folder = temporaryFolder()
  const program = join(folder, 'program')
  const helper = join(folder, 'modcache', 'github.com/edgeadm/!example-helper@v1.2.3')
  for (const each of [program, helper, join(folder, 'files')]) mkdirSync(each, { recursive: true })
  writeFileSync(join(helper, 'LICENSE'), 'Apache License\n   Version 2.0, January 2004\n')
  writeFileSync(join(helper, 'go.mod'), `module ${HELPER}\n`)
  writeFileSync(join(helper, 'helper.go'), 'package helper\n\nconst Word = "hello"\n')
  writeFileSync(
    join(program, 'go.mod'),
    `module example.com/program\n\ngo 1.21\n\nrequire ${HELPER} v1.2.3\n\nreplace ${HELPER} => ../modcache/github.com/edgeadm/!example-helper@v1.2.3\n`,
  )
  writeFileSync(
    join(program, 'main.go'),
    `package main\n\nimport helper "${HELPER}"\n\nfunc main() { println(helper.Word) }\n`,
  )
  execFileSync('go', ['build', '-buildvcs=false', '-ldflags=-s -w', '-o', join(folder, 'files/program')], {
    cwd: program,
    env: { ...process.env, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' },
  })
}, 120_000)

function options(): SbomOptions {
  vi.stubEnv('GOMODCACHE', join(folder, 'modcache'))
  const component = { name: 'thing', version: 'v1', licence: 'Apache-2.0', sources: [] }
  const layer = { name: 'layer', version: '1', licence: 'GPL-2.0-or-later', layer: true, sources: [] }
  const source = { type: 'archive', file: 'x' } as const
  return {
    ...reporter(),
    kubernetesVersion: 'v1.33.13',
    edgeVersion: '0.1.0',
    arch: 'amd64',
    steps: [component, layer].map((each) => ({ component: each, source, programs: [], parts: [] })),
    made: new Map([
      [
        'thing',
        {
          folder,
          record: { source: 'go:thing', files: [{ name: 'program', size: 1, sha256: 'ab'.repeat(32) }] },
        },
      ],
      [
        'layer',
        {
          folder,
          record: {
            source: 'debian:x',
            packages: [{ name: 'busybox', version: '1:1.35+b1', copyright: 'GPL' }],
          },
        },
      ],
    ]),
  }
}

test('a Go program says the same here as to `go version -m`', async () => {
  const path = join(folder, 'files/program')
  const printed = execFileSync('go', ['version', '-m', path], { encoding: 'utf8' })
  const info = await readGoBuildInfo(path)
  expect(printed).toContain(String(info?.goVersion))
  expect(printed).toContain(`dep\t${HELPER}\tv1.2.3`)
  expect(info?.modules).toEqual([{ path: HELPER, version: 'v1.2.3' }])
})

test('what is no Go program has no modules', async () => {
  expect(await readGoBuildInfo(process.execPath)).toBeUndefined()
  writeFileSync(join(folder, 'text'), 'x')
  expect(await readGoBuildInfo(join(folder, 'text'))).toBeUndefined()
})

test('modules and Debian packages are listed with the texts of their licences, and twice gives the same bytes', async () => {
  const first = await sbomContents(options())
  const bom = JSON.parse(String(first.get('sbom.cdx.json')))
  expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' })
  const [layer, thing] = bom.components
  const [module] = thing.components[0].components
  expect(module).toMatchObject({
    purl: `pkg:golang/${HELPER}@v1.2.3`,
    licenses: [{ expression: 'Apache-2.0' }],
  })
  expect(first.get(module.properties[0].value)).toContain('January 2004')
  expect(layer.components[0]).toMatchObject({
    name: 'busybox',
    purl: 'pkg:deb/debian/busybox@1%3A1.35%2Bb1?arch=amd64',
  })
  expect(first.get(layer.components[0].properties[0].value)).toBe('GPL')
  expect([...(await sbomContents(options()))]).toEqual([...first])
})

describe('licences by their words', () => {
  test.each([
    ['Apache License\n                           Version 2.0, January 2004', 'Apache-2.0'],
    ['Permission is hereby granted, free of charge, to any person obtaining a copy', 'MIT'],
    ['Redistribution and use in source and binary forms … Neither the name of', 'BSD-3-Clause'],
    ['All rights reserved', undefined],
  ])('%s', (text, expected) => {
    expect(licenceOf(text)).toBe(expected)
  })

  test('of Go itself', () => {
    const root = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim()
    expect(licenceOf(readFileSync(join(root, 'LICENSE'), 'utf8'))).toBe('BSD-3-Clause')
  })
})
