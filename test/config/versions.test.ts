import { expect, it } from 'vitest'
import { compareVersions, isAtLeast, resolveVersion } from '../../src/config/versions.ts'
import { versionsOf } from './fixtures.ts'

const known = versionsOf('v1.33.2', 'v1.33.13', 'v1.32.9')

it.each([
  [undefined, 'v1.33.13'],
  ['stable-1', 'v1.33.13'],
  ['latest', 'v1.33.13'],
  ['stable-1.32', 'v1.32.9'],
  ['1.33.2', 'v1.33.2'],
  ['v1.32.9', 'v1.32.9'],
])('%s is %s', (wanted, version) => expect(resolveVersion(wanted, known)).toEqual({ version }))

it('says what there is instead', () => {
  expect(resolveVersion('v1.34.0', known)).toEqual({
    problem: 'Kubernetes v1.34.0 is not at hand: the package has v1.32.9, v1.33.2, v1.33.13',
    class: 'package',
  })
  expect(resolveVersion('stable-1.34', known)).toMatchObject({ class: 'package' })
  expect(resolveVersion('1.33', known)).toMatchObject({ class: 'usage' })
})

it('takes a version on trust where nothing is known', () => {
  expect(resolveVersion('v1.40.1', versionsOf())).toEqual({ version: 'v1.40.1' })
  expect(resolveVersion(undefined, versionsOf())).toEqual({ version: 'v1.33.13' })
})

it('orders versions by number, pre-releases before releases', () => {
  const sorted = ['v1.33.10', 'v1.33.9', 'v1.34.0', 'v1.34.0-rc.1', 'v1.34.0-rc.0'].toSorted(compareVersions)
  expect(sorted).toEqual(['v1.33.9', 'v1.33.10', 'v1.34.0-rc.0', 'v1.34.0-rc.1', 'v1.34.0'])
  expect(isAtLeast('v1.31.0', 31)).toBe(true)
  expect(isAtLeast('v1.30.14', 31)).toBe(false)
})
