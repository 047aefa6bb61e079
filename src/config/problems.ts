import { EdgeadmError } from '../output/errors.ts'

type ProblemClass = 'usage' | 'package'

/** Collects everything that is wrong with a configuration, so that it is told at once and before the first change. */
export class Problems {
  readonly #found: { readonly text: string; readonly class: ProblemClass }[] = []

  /** @param where the flag (`--service-cidr`) or the place in the file (`cluster.yaml:12: networking.serviceSubnet`) */
  add(where: string, message: string, problemClass: ProblemClass = 'usage'): void {
    const text = where === '' ? message : `${where}: ${message}`
    if (!this.#found.some((known) => known.text === text)) this.#found.push({ text, class: problemClass })
  }

  get found(): readonly string[] {
    return this.#found.map((problem) => problem.text)
  }

  /** @throws EdgeadmError class `usage` (`package`, if the package alone does not fit) */
  throwIfAny(): void {
    const [first] = this.#found
    if (!first) return
    const errorClass = this.#found.every((problem) => problem.class === 'package') ? 'package' : 'usage'
    if (this.#found.length === 1) throw new EdgeadmError(errorClass, first.text)
    throw new EdgeadmError(errorClass, `The configuration has ${this.#found.length} problems`, {
      details: this.found,
    })
  }
}
