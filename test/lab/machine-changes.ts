import { diffMachine } from '../../src/lab/index.ts'
import type { TestLab } from './machines.ts'

/** What differs on a machine's disk since its boot; its journal does by itself. */
export async function changesOf({ name }: TestLab, machine: string): Promise<string[]> {
  return (await diffMachine(name, machine))
    .map(({ path }) => path)
    .filter((path) => !path.startsWith('/var/log/journal'))
}
