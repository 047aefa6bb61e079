import { expect, test } from 'vitest'
import type { InitFlags } from '../../../src/config/flags.ts'
import type { EventBody } from '../../../src/output/events.ts'
import { DEFAULT_RECIPES } from '../../../src/package/build/builtin.ts'
import { readRecipes } from '../../../src/package/build/read-recipe.ts'
import type { PackageManifest } from '../../../src/package/index.ts'
import type { InitContext } from '../../../src/phases/context.ts'
import { edgePartsCheck } from '../../../src/phases/edge/checks.ts'
import { initOn, machine } from '../node/machine.ts'

const { components } = await readRecipes(DEFAULT_RECIPES)
const NAMES = components
  .flatMap(({ name, sources }) => (name === 'kubeedge' ? sources : []))
  .flatMap((source) => (source.type === 'go' ? (source.additions ?? []) : []))
  .map(({ name }) => name)
  .sort((a) => (a === 'kubeedge/node-identity' ? -1 : 1))

/** What `init` says of a package whose CloudCore carries these additions. */
async function said(additions: readonly string[], flags: InitFlags = {}, yaml?: string): Promise<string[]> {
  const part = { version: 'v1.23.1', licence: 'Apache-2.0', source: 'docker.io/kubeedge/cloudcore' }
  const added = additions.map((name) => ({ name, what: '', why: '', upstream: '', sha256: '' }))
  const images = ['kubeedge/cloudcore:v1', 'kubeedge/iptables-manager-nft:v1', 'k8s/pause:3.10']
  const manifest = {
    components: [
      { ...part, name: 'kubeedge' },
      { ...part, name: 'cloudcore-image', additions: added },
    ],
    images: images.map((name) => ({ name: `registry.invalid/${name}`, digest: '', size: 0 })),
    files: [{ path: 'bin/edgecore' }],
  } as unknown as PackageManifest
  const warnings: string[] = []
  const emit = (event: EventBody) => {
    if (event.type === 'warning') warnings.push(event.text)
  }
  await edgePartsCheck.run({ ...initOn(machine(), flags, yaml), manifest, emit } as InitContext)
  return warnings.filter((text) => text.includes('additions'))
}

test("a CloudCore of its publisher's is told, with what is open then", async () => {
  expect(await said(NAMES)).toEqual([])
  const [warning = ''] = await said(NAMES.slice(1))
  expect(warning).toContain("CloudCore is its publisher's own")
  expect(warning).toContain('An edge node can get a certificate for any other node')
  expect(warning).not.toContain('An edge node can register with the label of a master')
  expect(warning).toContain('--require-contained')
})

test('it is refused with --require-contained, also from the file', async () => {
  const file = 'apiVersion: edgeadm.io/v1alpha1\nkind: EdgeConfiguration\nedge: {requireContained: true}\n'
  await expect(said([], { 'require-contained': true })).rejects.toMatchObject({ class: 'package' })
  await expect(said([], {}, file)).rejects.toThrow('--require-contained')
  expect(await said([], { 'require-contained': false }, file)).toHaveLength(1)
  expect(await said(NAMES, { 'require-contained': true })).toEqual([])
})
