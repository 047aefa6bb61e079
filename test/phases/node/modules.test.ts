import { expect, test } from 'vitest'
import { neededModules } from '../../../src/phases/node/modules.ts'

test('a module comes after those that it needs, under the names that the kernel has for them', () => {
  const text = `insmod /lib/modules/6.1.0-50-amd64/kernel/net/llc/llc.ko
insmod /lib/modules/6.1.0-50-amd64/kernel/net/802/stp.ko.xz
insmod /lib/modules/6.1.0-50-amd64/kernel/crypto/crc32c-intel.ko.zst
insmod /lib/modules/6.1.0-50-amd64/kernel/net/bridge/bridge.ko some=option
insmod /lib/modules/6.1.0-50-amd64/kernel/net/bridge/br_netfilter.ko
`
  expect(neededModules(text, 'br_netfilter')).toEqual([
    'llc',
    'stp',
    'crc32c_intel',
    'bridge',
    'br_netfilter',
  ])
})

test('what the kernel has built in, or does not know, is left to modprobe by its name', () => {
  expect(neededModules('builtin overlay\n', 'overlay')).toEqual(['overlay'])
  expect(neededModules('', 'overlay')).toEqual(['overlay'])
})
