import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { hostDistribution } from '../../../src/package/build/apt-sources.ts'
import { libraryClosure } from '../../../src/package/build/elf.ts'
import { writeBlob } from '../../../src/package/build/hashing.ts'
import { LayerTree, mergedPath, scanTree } from '../../../src/package/build/layer-tree.ts'
import { tarChunks } from '../../../src/package/tar-writer.ts'
import { reporter, temporaryFolder } from '../synthetic.ts'

function tree(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

test('a layer has its parents, the links of a merged /usr, and the modes it was given', async () => {
  const layer = new LayerTree()
  layer.addText('/etc/passwd', 'root:x:0:0::/:\n')
  layer.addText('/bin/tool', 'x')
  layer.addLink('/sbin/alias', '../bin/tool')
  layer.addFolder('/tmp', 0o1777)
  const long = `/usr/share/${'long/'.repeat(60)}file`
  layer.addText(long, 'deep')
  const path = join(temporaryFolder(), 'layer.tar')
  await writeBlob(path, tarChunks(layer.items()), reporter().signal)
  const lines = execFileSync('tar', ['-tvf', path]).toString().trim().split('\n')
  const find = (end: string) => lines.find((line) => line.endsWith(end))
  expect(find(' bin -> usr/bin')).toMatch(/^l/)
  expect(find(' usr/bin/tool')).toMatch(/^-rw-r--r-- 0\/0/)
  expect(find(' usr/sbin/alias -> ../bin/tool')).toBeDefined()
  expect(find(' tmp/')).toMatch(/^drwxrwxrwt/)
  expect(find(long.slice(1))).toBeDefined()
  expect(find(' lib -> usr/lib')).toBeUndefined()
  expect(mergedPath('/lib64/ld.so')).toBe('/usr/lib64/ld.so')
  expect(mergedPath('/library/x')).toBe('/library/x')
})

test('a program brings its libraries and its interpreter, as far as they go', async () => {
  // The machine's own /bin/sh in a tree with all that ldd finds for it.
  const shell = '/bin/sh'
  const linked = execFileSync('ldd', [shell]).toString()
  const libraries = [...linked.matchAll(/(\/\S+\.so\S*)/g)].map((match) => String(match[1]))
  const root = temporaryFolder()
  for (const path of [shell, ...libraries]) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    execFileSync('cp', ['-L', path, join(root, path)])
  }
  writeFileSync(join(root, 'bin/script'), '#!/bin/sh\n')
  const files = await scanTree(root)
  const found = await libraryClosure(files, ['/usr/bin/sh', '/usr/bin/script'], reporter().signal)
  expect([...found].sort()).toEqual([...new Set(libraries.map(mergedPath))].sort())
  for (const path of found) files.delete(path)
  await expect(libraryClosure(files, ['/usr/bin/sh'], reporter().signal)).rejects.toThrow('which no package')
})

test('packages come from where this machine has its own, never from third parties', async () => {
  const root = tree({
    'etc/os-release': 'ID=debian\nVERSION_CODENAME=bookworm\n',
    'etc/apt/sources.list':
      '# deb http://old bookworm main\ndeb [arch=amd64] http://mirror/debian bookworm main contrib\n',
    'etc/apt/sources.list.d/debian.sources':
      'Types: deb deb-src\n# a comment\nURIs: http://deb.example.org/debian\nSuites: bookworm bookworm-updates bookworm-backports\nComponents: main\nSigned-By: /usr/share/keyrings/debian.gpg\n\nEnabled: no\nTypes: deb\nURIs: http://off\nSuites: bookworm\nComponents: main\n',
    'etc/apt/sources.list.d/cloud.list': 'deb https://packages.example.com/apt cloud-sdk-bookworm main\n',
    'etc/apt/sources.list.d/node.sources':
      'Types: deb\nURIs: https://node.example.com\nSuites: nodistro\nComponents: main\n',
  })
  expect(await hostDistribution(root)).toEqual({
    codename: 'bookworm',
    sources: [
      'deb [arch=amd64] http://mirror/debian bookworm main contrib',
      'deb [signed-by=/usr/share/keyrings/debian.gpg] http://deb.example.org/debian bookworm main',
      'deb [signed-by=/usr/share/keyrings/debian.gpg] http://deb.example.org/debian bookworm-updates main',
    ].join('\n'),
  })
  await expect(hostDistribution(tree({ 'etc/os-release': 'ID=alpine\n' }))).rejects.toThrow(
    'only be taken on Debian',
  )
})
