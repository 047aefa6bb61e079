import { expect, test } from 'vitest'
import { virtualServers } from '../../../src/phases/reset/ipvs.ts'

test("only the virtual servers on addresses of kube-proxy's device are its own", () => {
  const saved = `-A -t 10.96.0.1:443 -s rr
-a -t 10.96.0.1:443 -r 10.0.0.10:6443 -m -w 1
-A -u 10.96.0.10:53 -s rr
-A -t 192.0.2.1:80 -s wlc
-A -t [fd00::a]:443 -s rr
-A -f 1 -s rr`
  expect(virtualServers(saved, ['10.96.0.1', '10.96.0.10', 'fd00::a'])).toEqual([
    ['-t', '10.96.0.1:443'],
    ['-u', '10.96.0.10:53'],
    ['-t', '[fd00::a]:443'],
  ])
  expect(virtualServers(saved, [])).toEqual([])
})
