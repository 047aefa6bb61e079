import { expect, test } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { endpointFromText } from '../../../src/phases/load-balancer/virtual-endpoint.ts'

/** An address needs no machine to be understood. */
const nowhere = {} as Host

test('an IPv6 address is written as the kernel writes it, which it is compared with', async () => {
  expect(await endpointFromText(nowhere, '[FD00:0::0:5]:9443')).toEqual({ address: 'fd00::5', port: 9443 })
})

test('the port is 8443 unless one is given', async () => {
  expect(await endpointFromText(nowhere, '10.0.0.100')).toEqual({ address: '10.0.0.100', port: 8443 })
})
