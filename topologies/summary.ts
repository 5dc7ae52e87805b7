import type { Headers } from 'millrace'
import { headerText } from 'millrace'
import {
  deadLetterTopic,
  inventoryRestored,
  orderFulfilled,
  orderPlaced,
  orderRejected,
  orderRequested,
  orderShipped,
} from './contracts.ts'
import type { StoryRecord } from './story.ts'
import { lineOf } from './story.ts'

/**
 * What became of all orders, as a pure reducer over the records of the flows. Everything that came in must come out
 * somewhere: the table adds up when every order is completed, compensated, rejected, a duplicate or a dead letter.
 */
export type CountedFlow = 'choreography' | 'orchestration'
type Outcome = 'completed' | 'compensated' | 'rejected' | 'stuck'

/** Counts that come out the same in whatever order the topics are read. */
interface Counted {
  /** How often each order came in. */
  readonly starts: Readonly<Record<string, number>>
  readonly unreadable: number
  readonly outcomes: Readonly<Record<string, Outcome>>
  /** The places of bad orders: several services may put the same one into the dead letter topic. */
  readonly deadLetters: readonly string[]
}
export type Summary = Readonly<Record<CountedFlow, Counted>>

export interface SummaryRow {
  readonly flow: CountedFlow
  readonly in: number
  readonly completed: number
  readonly compensated: number
  readonly rejected: number
  readonly duplicates: number
  readonly deadLettered: number
  /** Neither here nor there: under way, or stuck. */
  readonly open: number
  readonly addsUp: boolean
}

const nothing: Counted = { starts: {}, unreadable: 0, outcomes: {}, deadLetters: [] }
export const emptySummary: Summary = { choreography: nothing, orchestration: nothing }

/** The summary after one more record, of any topic. */
export const addToSummary = (summary: Summary, record: StoryRecord): Summary => {
  const flow = flowOf(record)
  return flow === undefined ? summary : { ...summary, [flow]: counted(summary[flow], record) }
}

/** One row for each flow. */
export const summaryRows = (summary: Summary): readonly SummaryRow[] =>
  (['choreography', 'orchestration'] as const).map((flow) => rowOf(flow, summary[flow]))

const startTopics: Readonly<Record<string, CountedFlow>> = {
  [orderPlaced.name]: 'choreography',
  [orderRequested.name]: 'orchestration',
}

/** The event that ends an order of the choreography, and how it ends there. */
const ends: Readonly<Record<string, Outcome>> = {
  [orderShipped.name]: 'completed',
  [inventoryRestored.name]: 'compensated',
  [orderRejected.name]: 'rejected',
}

const flowOf = ({ topic, headers }: StoryRecord): CountedFlow | undefined => {
  if (topic === deadLetterTopic) return startTopics[headerText(headers, '__streams.errors.topic') ?? '']
  if (topic === orderFulfilled.name) return 'orchestration'
  return startTopics[topic] ?? (topic in ends ? 'choreography' : undefined)
}

const counted = (known: Counted, record: StoryRecord): Counted => {
  const { topic, headers } = record
  if (topic === deadLetterTopic) return withDeadLetter(known, headers)
  const line = lineOf(record)
  if (line === undefined) return known
  if (topic in startTopics)
    return line.readable ? withStart(known, line.order) : { ...known, unreadable: known.unreadable + 1 }
  const outcome = ends[topic] ?? fulfilmentOf(record)
  return outcome === undefined ? known : { ...known, outcomes: { ...known.outcomes, [line.order]: outcome } }
}

const withStart = (known: Counted, order: string): Counted => ({
  ...known,
  starts: { ...known.starts, [order]: (known.starts[order] ?? 0) + 1 },
})

const withDeadLetter = (known: Counted, headers: Headers): Counted => {
  const place = ['topic', 'partition', 'offset']
    .map((part) => headerText(headers, `__streams.errors.${part}`) ?? '')
    .join('/')
  return known.deadLetters.includes(place) ? known : { ...known, deadLetters: [...known.deadLetters, place] }
}

const fulfilmentOf = ({ value }: StoryRecord): Outcome | undefined =>
  value === null
    ? undefined
    : (orderFulfilled.value.deserialize(value, 0, value.length).outcome.toLowerCase() as Outcome)

const rowOf = (flow: CountedFlow, { starts, unreadable, outcomes, deadLetters }: Counted): SummaryRow => {
  const counts = Object.values(starts)
  const came = counts.reduce((sum, count) => sum + count, 0) + unreadable
  const many = (outcome: Outcome): number =>
    Object.keys(starts).filter((order) => outcomes[order] === outcome).length
  const row = {
    flow,
    in: came,
    completed: many('completed'),
    compensated: many('compensated'),
    rejected: many('rejected'),
    duplicates: came - unreadable - counts.length,
    deadLettered: deadLetters.length,
  }
  const open = row.in - row.completed - row.compensated - row.rejected - row.duplicates - row.deadLettered
  return { ...row, open, addsUp: open === 0 }
}
