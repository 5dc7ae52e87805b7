/**
 * A table as Markdown has it, with columns aligned for a terminal: the first to the left, and the others to the right
 * if they are numbers.
 */
export const tableOf = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  cells: 'numbers' | 'text' = 'numbers',
): string => {
  const isLeft = (column: number): boolean => cells === 'text' || column === 0
  const widths = head.map((title, column) =>
    Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => aligned(row[column] ?? '', width, isLeft(column))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (isLeft(column) ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export const printTable = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
  process.stdout.write(`${tableOf(head, rows)}\n`)
}

const aligned = (cell: string, width: number, isLeft: boolean): string =>
  isLeft ? cell.padEnd(width) : cell.padStart(width)
