/**
 * What grows, one thing at a time: the keys of a count, the partitions and the processes it is spread over, and the
 * windows of a join. Records, keys and rates are those of W3 and W5 otherwise; orders of the join follow 20 ms apart, so
 * that its hour is two hours long.
 */
export interface GrowthCase {
  readonly section: (typeof growthSections)[number]
  readonly name: string
  readonly work: 'count' | 'join'
  readonly records: number
  readonly keys: number
  readonly partitions: number
  readonly processes: number
  /** How far apart partners may be; of the join alone. */
  readonly withinMs: number
}

export const growthSections = ['keys', 'windows', 'partitions', 'processes'] as const

const count: GrowthCase = {
  section: 'keys',
  name: '',
  work: 'count',
  records: 1_000_000,
  keys: 100_000,
  partitions: 1,
  processes: 1,
  withinMs: 0,
}
const join: GrowthCase = { ...count, section: 'windows', work: 'join', records: 360_000 }

export const orderSpacingMs = 20

export const growthCases: readonly GrowthCase[] = [
  { ...count, name: 'count, 10 k keys', keys: 10_000 },
  { ...count, name: 'count, 100 k keys' },
  { ...count, name: 'count, 1 M keys', keys: 1_000_000, records: 2_000_000 },
  { ...count, name: 'count, 10 M keys', keys: 10_000_000, records: 10_000_000 },
  { ...join, name: 'join within 1 s', withinMs: 1_000 },
  { ...join, name: 'join within 1 min', withinMs: 60_000 },
  { ...join, name: 'join within 10 min', withinMs: 600_000 },
  { ...join, name: 'join within 1 h', withinMs: 3_600_000 },
  { ...count, section: 'partitions', name: 'count, 1 partition' },
  { ...count, section: 'partitions', name: 'count, 6 partitions', partitions: 6 },
  { ...count, section: 'partitions', name: 'count, 24 partitions', partitions: 24 },
  { ...count, section: 'processes', name: 'count, 6 partitions, 1 process', partitions: 6 },
  { ...count, section: 'processes', name: 'count, 6 partitions, 2 processes', partitions: 6, processes: 2 },
  { ...count, section: 'processes', name: 'count, 6 partitions, 3 processes', partitions: 6, processes: 3 },
]

/** A payment follows every other order. */
export const inputsOf = ({ work, records }: GrowthCase): number =>
  work === 'join' ? records + Math.floor(records / 2) : records
