import { expect, test } from 'vitest'
import { dryRunHosts } from '../../src/host/dry-run.ts'
import { refuseCertificates } from '../../src/kubeedge/removed-nodes.ts'
import { MemoryMachine } from '../host/memory-machine.ts'

/** What would be changed in a cluster that has these objects. */
async function changes(...objects: string[]): Promise<string[]> {
  const on = new MemoryMachine((line) => {
    if (!line.includes(' get ')) return undefined
    return objects.some((object) => line.includes(` get ${object} `))
      ? { stdout: '{}' }
      : { exitCode: 1, stderr: 'Error from server (NotFound): there is none' }
  })
  const told: string[] = []
  const host = dryRunHosts(on, (event) => {
    if (event.type === 'change') told.push(event.target)
  })('remove-node')
  await refuseCertificates(host, 'edge-1.example', {})
  return told
}

test('a removed node is written into the list, which is made at the first time', async () => {
  expect(await changes()).toEqual([])
  const target = 'make the certificate of edge-1.example worthless for CloudCore'
  expect(await changes('namespace kubeedge')).toEqual([target])
  expect(await changes('namespace kubeedge', 'configmap edgeadm-removed-nodes')).toEqual([target])
})
