import type { Direction, Mood, StoryLine, StoryRecord } from './story.ts'
import { inStoryOrder, lineOf } from './story.ts'
import type { SummaryRow } from './summary.ts'

/**
 * How the flows look on a terminal: one line for what happened to one order, readable at a glance. Colours only where a
 * person looks at it.
 */
const coloured = process.stdout.isTTY && process.stdout.hasColors()
const colour =
  (code: number) =>
  (text: string): string =>
    coloured ? `\u001B[${code}m${text}\u001B[0m` : text
const dim = colour(2)
const bold = colour(1)

export const heading = (title: string): string =>
  `\n${bold(title)}\n${dim('─'.repeat(Math.min(title.length, 100)))}`

export const legend = (services: readonly string[]): string =>
  dim(
    `running: ${services.join(', ')}\n  ● event   → command   ← reply   ✔ good end   ✘ refused   ↶ undone\n`,
  )

/** Gathers what is heard; `flush` prints it in the order of the story and says how many lines there were. */
export const printer = (
  print: (line: string) => void,
): { readonly listen: (record: StoryRecord) => void; readonly flush: () => number } => {
  let heard: StoryLine[] = []
  return {
    listen: (record) => {
      const line = lineOf(record)
      if (line !== undefined) heard.push(line)
    },
    flush: () => {
      const lines = inStoryOrder(heard)
      heard = []
      for (const line of lines) print(printed(line))
      return lines.length
    },
  }
}

const directionSigns: Readonly<Record<Direction, string>> = { event: '●', command: '→', reply: '←' }
const moodSigns: Readonly<Record<Mood, string>> = { news: ' ', good: '✔', bad: '✘', undo: '↶' }
const moodColours: Readonly<Record<Mood, (text: string) => string>> = {
  news: (text) => text,
  good: colour(32),
  bad: colour(31),
  undo: colour(33),
}
const flowColours = {
  'hands-on': colour(2),
  choreography: colour(36),
  orchestration: colour(35),
  hybrid: colour(34),
}

const printed = ({ flow, service, direction, topic, order, mood, text }: StoryLine): string =>
  [
    flowColours[flow](flow.padEnd(13)),
    order.padEnd(10),
    directionSigns[direction],
    service.padEnd(16),
    dim(topic.padEnd(18)),
    moodColours[mood](`${moodSigns[mood]} ${text.replaceAll(/\s+/g, ' ')}`),
  ].join(' ')

const columns = [
  'flow',
  'in',
  'completed',
  'compensated',
  'rejected',
  'duplicates',
  'deadLettered',
  'open',
] as const
const titles: Readonly<Record<(typeof columns)[number], string>> = {
  flow: 'flow',
  in: 'orders in',
  completed: 'completed',
  compensated: 'compensated',
  rejected: 'rejected',
  duplicates: 'duplicates',
  deadLettered: 'dead letters',
  open: 'open',
}

/** The table at the end, with whether it adds up. */
export const summaryTable = (rows: readonly SummaryRow[]): string => {
  const cells = rows.map((row) => columns.map((column) => String(row[column])))
  const header = columns.map((column) => titles[column])
  const widths = header.map((title, index) =>
    Math.max(title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  ')
  const balance = rows.every(({ addsUp }) => addsUp)
    ? colour(32)('It adds up: every order that came in came to an end.')
    : colour(31)('It does not add up: some orders have not come to an end.')
  return [bold(line(header)), ...cells.map(line), balance].join('\n')
}
