import { expect, it } from 'vitest'
import { sshSession, whatIsWorse } from '../../../src/phases/reset/ssh-session.ts'
import { initOn, machine } from '../node/machine.ts'

const SESSION = { client: '192.0.2.9', clientPort: 51000, server: '10.0.0.10', serverPort: 22 }
const TEXT = '192.0.2.9 51000 10.0.0.10 22'

it('is found in the own environment, and through sudo in that of a shell above', async () => {
  const on = machine()
  const { host } = initOn(on)
  expect(await sshSession(host, { SSH_CONNECTION: TEXT })).toEqual(SESSION)
  await on.put('/proc/30/status', 'PPid:\t20\n')
  await on.put('/proc/30/environ', 'SUDO_USER=me\0')
  await on.put('/proc/20/status', 'PPid:\t1\n')
  await on.put('/proc/20/environ', `A=b\0SSH_CONNECTION=::ffff:${TEXT.replace(' 10.', ' ::ffff:10.')}\0`)
  expect(await sshSession(host, {}, 30)).toEqual(SESSION)
  expect(await sshSession(host, { SSH_CONNECTION: 'UNKNOWN 0 UNKNOWN 0' }, 1)).toBeUndefined()
})

it('what is worse is named; what was so before is not', () => {
  const before = { addressOn: 'eth0', routeOver: 'eth0', isListening: true, closed: ['x'], isConnected: true }
  expect(whatIsWorse(before, before, SESSION)).toBeUndefined()
  expect(whatIsWorse(before, { ...before, closed: ['x', 'inet f in'] }, SESSION)).toBe(
    "the firewall's chain inet f in no longer lets port 22 in",
  )
  expect(whatIsWorse(before, { ...before, routeOver: undefined }, SESSION)).toMatch(/no longer a way to/)
  expect(whatIsWorse(before, { ...before, addressOn: undefined }, SESSION)).toMatch(/no longer on eth0/)
  expect(whatIsWorse(before, { ...before, isConnected: false }, SESSION)).toMatch(/connection .* is gone/)
  const inTmux = { ...before, isConnected: false }
  expect(whatIsWorse(inTmux, inTmux, SESSION)).toBeUndefined()
})
