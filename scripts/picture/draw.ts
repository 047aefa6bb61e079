/**
 * `node scripts/picture/draw.ts OUT.svg 'COMMAND=LOG'…`: a picture of a terminal in which the commands run, one below the other. LOG is the
 * log of a real run (/var/log/edgeadm/*.log of the machine); edgeadm's own renderer shows it again in a terminal of 110 columns.
 */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import headless from '@xterm/headless'

const COLUMNS = 110
const ROWS = 60
const CELL = { width: 7.83, height: 17 }
const PADDING = 14
const COLOURS: Readonly<Record<number, string>> = {
  1: '#f07178',
  2: '#8ccf7e',
  3: '#e5c76b',
  4: '#67b0e8',
  5: '#c47fd5',
  6: '#6cbfbf',
  8: '#7d8590',
  9: '#f07178',
  10: '#8ccf7e',
  11: '#e5c76b',
  12: '#67b0e8',
}
const FOREGROUND = '#d8dee9'

interface Run {
  readonly column: number
  text: string
  readonly colour: string
  readonly bold: boolean
}

const [out, ...runs] = process.argv.slice(2)
if (out === undefined || runs.length === 0) throw new Error("usage: OUT.svg 'COMMAND=LOG'…")
const lines: Run[][] = []
for (const run of runs) {
  const end = run.lastIndexOf('=')
  const typed: Run = { column: 0, text: `$ ${run.slice(0, end)}`, colour: '#ffffff', bold: true }
  lines.push([typed], ...(await screen(recorded(run.slice(end + 1)))), [])
}
lines.pop()
writeFileSync(out, svg(lines))

/** What a terminal gets while the log is shown again. */
function recorded(log: string): string {
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec '${process.execPath}' scripts/picture/replay.ts '${log}'`
  return execFileSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    input: '',
    env: { ...process.env, FORCE_COLOR: '1', TERM: 'xterm-256color' },
  })
}

/** The lines that a terminal shows in the end, without empty ones at its end. */
async function screen(text: string): Promise<Run[][]> {
  const terminal = new headless.Terminal({
    cols: COLUMNS,
    rows: 60,
    scrollback: 10_000,
    allowProposedApi: true,
  })
  await new Promise<void>((done) => terminal.write(text.replaceAll(/\r?\n/g, '\r\n'), done))
  const { active } = terminal.buffer
  const found: Run[][] = []
  for (let row = 0; row < active.length; row++) {
    const line = active.getLine(row)
    if (line === undefined) continue
    const runs: Run[] = []
    for (let column = 0; column < COLUMNS; column++) {
      const cell = line.getCell(column)
      if (cell === undefined || cell.getWidth() === 0) continue
      const colour = cell.isDim()
        ? '#7d8590'
        : cell.isFgPalette()
          ? (COLOURS[cell.getFgColor()] ?? FOREGROUND)
          : FOREGROUND
      const bold = cell.isBold() !== 0
      const last = runs.at(-1)
      const word = cell.getChars() || ' '
      if (last !== undefined && last.colour === colour && last.bold === bold) last.text += word
      else runs.push({ column, text: word, colour, bold })
    }
    found.push(
      runs.map((run) => ({ ...run, text: run.text.replace(/\s+$/, '') })).filter(({ text: t }) => t !== ''),
    )
  }
  while (found.at(-1)?.length === 0) found.pop()
  return found
}

function svg(content: readonly (readonly Run[])[]): string {
  const width = Math.ceil(COLUMNS * CELL.width + 2 * PADDING)
  const height = content.length * CELL.height + 2 * PADDING
  const texts = content.flatMap((runs, row) =>
    runs.map(
      ({ column, text, colour, bold }) =>
        `<text x="${(PADDING + column * CELL.width).toFixed(1)}" y="${PADDING + (row + 0.75) * CELL.height}" fill="${colour}"${bold ? ' font-weight="bold"' : ''} xml:space="preserve">${escaped(text)}</text>`,
    ),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13">
<title>edgeadm in a terminal</title>
<rect width="100%" height="100%" rx="8" fill="#1b1f27"/>
${texts.join('\n')}
</svg>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
