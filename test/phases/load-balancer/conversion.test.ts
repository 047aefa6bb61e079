import { expect, test } from 'vitest'
import type { ClusterFacts } from '../../../src/kubeedge/cluster-facts.ts'
import { remainingSteps } from '../../../src/phases/load-balancer/conversion.ts'

const balancer = { address: '10.0.0.100', port: 8443 }
const edge = (...cloudAddresses: string[]) => ({ cloudAddresses }) as unknown as ClusterFacts

test('a cluster that was made with the balancer has nothing left to do', () => {
  expect(remainingSteps(balancer, '10.0.0.100:8443', edge('10.0.0.100'))).toEqual([])
})

test('a name has to lead to the virtual address, and CloudCore has to follow it', () => {
  const [name, cloudCore, ...others] = remainingSteps(balancer, 'cp.example:6443', edge('10.0.0.11'))
  expect(name).toBe(
    'let cp.example lead to 10.0.0.100 on every machine now: cp.example:6443 then reaches a master that is up, and cp.example:8443 haproxy',
  )
  expect(cloudCore).toContain('find CloudCore at 10.0.0.11')
  expect(others).toEqual([])
})

test('a cluster without a name for its endpoint keeps its first master', () => {
  expect(remainingSteps(balancer, undefined, undefined)[0]).toContain('without a control plane endpoint')
  expect(remainingSteps(balancer, '10.0.0.11:6443', undefined)[0]).toContain(
    'with the endpoint 10.0.0.11:6443',
  )
})
