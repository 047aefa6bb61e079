import type { Row } from './scenarios.ts'

/** Rows of one command that went well are one line. */
export function asMarkdown(rows: readonly Row[]): string {
  const lines = [
    '| scenario | command | killed in | kills | the same command again |',
    '| --- | --- | --- | --- | --- |',
  ]
  const groups = Map.groupBy(rows, ({ scenario, command, failed, strikes }) =>
    failed === undefined && strikes === 1
      ? `${scenario} ${command}`
      : `${scenario} ${command} ${rows.length} ${failed} ${strikes}`,
  )
  for (const group of groups.values()) {
    const [first] = group
    if (first === undefined) continue
    const kills = group.reduce((sum, { strikes }) => sum + strikes, 0)
    const where = group.map((row) => row.where).join(', ')
    const cells = [first.scenario, first.command, where, String(kills), first.failed ?? 'finished']
    lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`)
  }
  return lines.join('\n')
}
