import { describe, expect, it } from 'vitest'
import { chooseRouterId, parseAdvertisements, priorityOf } from '../../../src/phases/load-balancer/vrrp.ts'

/** Version 2, router 51, priority 100, one address, 1 s, checksum, and eight bytes of authentication data. */
const V2 = '21 33 64 01 01 01 b2 4c c0 a8 00 fe 73 65 63 72 65 74 00 00'
/** Version 3, router 240, two addresses, 0.3 s. */
const V3 = '31 f0 64 02 00 1e 5d 1a 0a 00 00 f0 0a 00 00 f1'

describe('advertisements', () => {
  it('are read one after the other, of either version', () => {
    expect(parseAdvertisements(` ${V2}\n ${V3}\n ${V2}\n`)).toEqual([
      { virtualRouterId: 51, addresses: ['192.168.0.254'] },
      { virtualRouterId: 240, addresses: ['10.0.0.240', '10.0.0.241'] },
      { virtualRouterId: 51, addresses: ['192.168.0.254'] },
    ])
  })

  it.each([
    ['nothing', '', 0],
    ['one that is cut off', `${V3} 21 33 64 01 01`, 1],
    ['one whose addresses are cut off', '31 f0 64 02 00 1e 5d 1a 0a 00', 0],
    ['what is not VRRP', `45 00 00 28 ${V2}`, 0],
    ['a type that does not exist', '32 f0 64 00 00 1e 5d 1a', 0],
    ['what is no hexadecimal', 'timeout: terminated', 0],
  ])('%s', (_, text, count) => {
    expect(parseAdvertisements(text)).toHaveLength(count)
  })
})

describe('the number of a cluster', () => {
  it.each([
    ['10.0.0.240', [], 240],
    ['10.0.0.240', [240], 241],
    ['10.0.0.254', [254, 255], 1],
    ['10.0.0.0', [], 255],
    ['10.0.0.255', [255], 1],
    ['fd00::1f', [], 31],
    ['fd00::', [], 1],
  ])('of %s beside %j is %i', (address, used, expected) => {
    expect(chooseRouterId(address, new Set(used))).toBe(expected)
  })

  it('is none if all are in use', () => {
    const all = new Set(Array.from({ length: 255 }, (_, index) => index + 1))
    expect(chooseRouterId('10.0.0.1', all)).toBeUndefined()
    all.delete(7)
    expect(chooseRouterId('10.0.0.1', all)).toBe(7)
  })
})

it('priorities of neighbours are far apart, and of a whole network valid', () => {
  const all = Array.from({ length: 254 }, (_, index) => priorityOf(`10.0.0.${index + 1}`))
  for (const priority of all) expect(priority).toBeGreaterThanOrEqual(50)
  for (const priority of all) expect(priority).toBeLessThan(250)
  for (const [index, priority] of all.slice(1).entries())
    expect(Math.abs(priority - (all[index] as number))).toBeGreaterThanOrEqual(37)
  expect(new Set(all.slice(0, 200)).size).toBe(200)
  expect(priorityOf('fd00::12')).not.toBe(priorityOf('fd00::13'))
})
