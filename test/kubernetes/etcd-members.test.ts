import { describe, expect, test } from 'vitest'
import type { EtcdMember } from '../../src/kubernetes/etcd.ts'
import { memberOf, peerAddresses } from '../../src/kubernetes/etcd-members.ts'
import { flagsIn } from '../../src/kubernetes/static-pod.ts'

const member = (name: string, peer: string, isLearner = false): EtcdMember => ({
  id: name + peer,
  name,
  clientUrl: undefined,
  peerUrls: [peer],
  isLearner,
})

test("a static Pod's flags, as kubeadm writes them", () => {
  const flags = flagsIn(`
spec:
  containers:
  - command:
    - etcd
    - --initial-cluster=a=https://10.0.0.1:2380,b=https://10.0.0.2:2380
    - --snapshot-count
`)
  expect(flags?.get('initial-cluster')).toBe('a=https://10.0.0.1:2380,b=https://10.0.0.2:2380')
  expect(flags?.get('snapshot-count')).toBe('true')
})

test('a manifest that was cut short has no flags', () => {
  expect(flagsIn('spec:\n  containers:\n  - command: [etcd, "--na')).toBeUndefined()
  expect(flagsIn('')).toBeUndefined()
})

describe('the member of a node', () => {
  const members = [
    member('a', 'https://10.0.0.1:2380'),
    member('', 'https://10.0.0.2:2380', true),
    member('', 'https://[fd00::3]:2380', true),
  ]
  test('is found by its name', () => expect(memberOf(members, 'a', [])).toBe(members[0]))
  test('is found by an address while it has no name', () =>
    expect(memberOf(members, 'b', ['10.0.0.2'])).toBe(members[1]))
  test('is found by an IPv6 address', () => expect(memberOf(members, 'c', ['fd00::3'])).toBe(members[2]))
  test('is none of a node that etcd does not know', () =>
    expect(memberOf(members, 'd', ['10.0.0.4'])).toBeUndefined())
  test('has addresses without brackets', () =>
    expect(members.flatMap(peerAddresses)).toEqual(['10.0.0.1', '10.0.0.2', 'fd00::3']))
})
