import { Writable } from 'node:stream'

/** A terminal as far as live lists use one: what a person sees is `text()`, whatever was drawn over before. */
export class Screen extends Writable {
  readonly isTTY = true
  readonly columns = 100
  readonly rows = 40
  readonly #lines: string[][] = [[]]
  #row = 0
  #column = 0

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    const text = chunk.toString()
    for (const [part] of text.matchAll(/\u001b\[[?\d;]*[A-Za-z]|[\s\S]/gu)) {
      if (part.startsWith('\u001b[')) this.#control(part.slice(2, -1), part.at(-1) ?? '')
      else this.#put(part)
    }
    done()
  }

  text(): string {
    return this.#lines
      .map((line) => line.join('').trimEnd())
      .join('\n')
      .trimEnd()
  }

  #line(): string[] {
    while (this.#lines.length <= this.#row) this.#lines.push([])
    return this.#lines[this.#row] as string[]
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0
    else if (character === '\n') {
      this.#row += 1
      this.#column = 0
    } else {
      const line = this.#line()
      while (line.length < this.#column) line.push(' ')
      line[this.#column] = character
      this.#column += 1
    }
  }

  #control(parameter: string, letter: string): void {
    const count = parameter === '' ? 1 : Number(parameter)
    if (letter === 'A') this.#row = Math.max(0, this.#row - count)
    else if (letter === 'B') this.#row += count
    else if (letter === 'G') this.#column = count - 1
    else if (letter === 'K' && parameter === '2') this.#line().length = 0
    else if (letter === 'K') this.#line().length = Math.min(this.#line().length, this.#column)
    else if (letter === 'J') {
      this.#line().length = Math.min(this.#line().length, this.#column)
      this.#lines.length = this.#row + 1
    } else if (!'mhl'.includes(letter))
      throw new Error(`the screen does not know ESC [ ${parameter}${letter}`)
  }
}
