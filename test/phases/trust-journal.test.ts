import { expect, test } from 'vitest'
import { initPhases } from '../../src/phases/init.ts'
import { joinPhases } from '../../src/phases/join.ts'
import { joinEdgePhases } from '../../src/phases/join-edge.ts'
import { joinSuperEdgePhases } from '../../src/phases/join-superedge.ts'
import { type Phase, trustJournal } from '../../src/phases/workflow.ts'

/** They change objects that belong to kubeadm, whose upgrades write them anew. */
const REWRITTEN_BY_OTHERS = ['edge/affinity', 'edge/superedge', 'addon/coredns-upstream']

test('no phase that changes what others write again takes the journal at its word', () => {
  const lists = [
    initPhases,
    joinPhases,
    joinEdgePhases,
    joinSuperEdgePhases,
  ] as readonly (readonly Phase<never>[])[]
  const phases = lists.flat()
  for (const name of REWRITTEN_BY_OTHERS) {
    const found = phases.filter((phase) => phase.name === name)
    expect(found, name).not.toEqual([])
    for (const phase of found) expect(phase.verify, name).not.toBe(trustJournal)
  }
})

test('no phase has a check of its own that says yes to everything', () => {
  const phases = [...initPhases, ...joinPhases, ...joinEdgePhases, ...joinSuperEdgePhases]
  const blind = phases.filter(
    ({ verify }) => verify !== undefined && verify !== trustJournal && /=>\s*true$/.test(String(verify)),
  )
  expect(blind.map(({ name }) => name)).toEqual([])
})
