import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pluginsOf } from '../../../src/package/build/sources/go-plugins.ts'
import { temporaryFolder } from '../synthetic.ts'

const folder = temporaryFolder()
mkdirSync(join(folder, 'core'))
writeFileSync(
  join(folder, 'core/plugins.go'),
  'package plugin\n\nimport (\n\t// Include all plugins.\n\t_ "example.org/a"\n\t_ "example.org/b"\n\t"fmt"\n)\n',
)
const plugins = 'core/plugins.go'

test('a program has the plugins of upstream but those that the recipe leaves out', async () => {
  expect(await pluginsOf({ plugins }, folder)).toEqual(['example.org/a', 'example.org/b'])
  expect(await pluginsOf({ plugins, withoutPlugins: ['example.org/b'] }, folder)).toEqual(['example.org/a'])
  expect(await pluginsOf({}, folder)).toEqual([])
})

test('a version whose list does not fit the recipe stops the build', async () => {
  await expect(pluginsOf({ plugins, withoutPlugins: ['example.org/c'] }, folder)).rejects.toThrow(
    'core/plugins.go of the module imports no example.org/c',
  )
})
