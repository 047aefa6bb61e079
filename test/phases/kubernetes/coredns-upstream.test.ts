import { expect, it } from 'vitest'
import { withForward, withoutForward } from '../../../src/phases/kubernetes/coredns-upstream.ts'

const COREFILE = `.:53 {
    errors
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
}
`

it('CoreDNS asks these nameservers, or none', () => {
  expect(withForward(COREFILE, ['10.0.0.2', 'fd00::2'])).toBe(
    COREFILE.replace('/etc/resolv.conf', '10.0.0.2 fd00::2'),
  )
  expect(withoutForward(COREFILE)).toBe('.:53 {\n    errors\n    cache 30\n}\n')
})
