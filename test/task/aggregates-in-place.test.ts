import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { GroupedStream, Table, Topology } from '../../src/index.ts'
import { json, long, session, sliding, topic, topology, tumbling } from '../../src/index.ts'
import { LoneTask } from '../support/lone-task.ts'

const Box = z.object({ items: z.array(z.number()), inner: z.object({ sum: z.number() }) })
type Box = z.infer<typeof Box>
const boxes = topic('boxes', { value: Box })
const unlucky = 13

/** Adds the second box to the first, and fails with half of its work done where a number is unlucky. */
const addInPlace = (sum: Box, box: Box): Box => {
  for (const item of box.items) {
    sum.items.push(item)
    sum.inner.sum += item
    if (item === unlucky) throw new Error('unlucky')
  }
  return sum
}

/** The same with objects of its own. */
const addToCopy: typeof addInPlace = (sum, box) => addInPlace(structuredClone(sum), box)

type Add = typeof addInPlace
type Kind = (grouped: GroupedStream<string, Box>, add: Add) => void

const rows = {
  store: 'rows',
  value: Box,
  // One object for all keys.
  initial: { items: [], inner: { sum: 0 } } as Box,
}

/** Hands old and new values on to a repartition topic. */
const handOn = <K>(table: Table<K, Box>): void =>
  void table
    .groupBy((box) => ({ key: box.inner.sum, value: box }), { name: 'all', key: long, value: json(Box) })
    .count({ store: 'counts' })

const kinds: Readonly<Record<string, Kind>> = {
  aggregate: (grouped, add) => handOn(grouped.aggregate({ ...rows, add })),
  'aggregate on commit': (grouped, add) => handOn(grouped.aggregate({ ...rows, add, emit: 'onCommit' })),
  reduce: (grouped, add) => handOn(grouped.reduce(add, { store: 'rows' })),
  cogroup: (grouped, add) => handOn(grouped.cogroup<Box>(add).aggregate(rows)),
  'tumbling windows': (grouped, add) =>
    handOn(grouped.windowedBy(tumbling({ size: 10 })).aggregate({ ...rows, add })),
  'sliding windows': (grouped, add) =>
    handOn(grouped.windowedBy(sliding({ difference: 10 })).aggregate({ ...rows, add })),
  sessions: (grouped, add) =>
    handOn(grouped.windowedBy(session({ gap: 5 })).aggregate({ ...rows, add, merge: add })),
}

const program = (kind: Kind, add: Add): Topology =>
  topology('boxes', (builder) => kind(builder.stream(boxes).groupByKey(), add))

interface Step {
  readonly key: string
  readonly items: number[]
  readonly timestamp: number
  readonly commits: boolean
}

const steps = fc.array(
  fc.record<Step>({
    key: fc.constantFrom('a', 'b'),
    items: fc.array(fc.constantFrom(1, 2, unlucky), { minLength: 1, maxLength: 3 }),
    timestamp: fc.integer({ min: 0, max: 40 }),
    commits: fc.boolean(),
  }),
  { minLength: 1, maxLength: 20 },
)

/** Everything that leaves the task, as it is at the end: an object that was sent and is changed later shows. */
const run = (kind: Kind, add: Add, freezeState: boolean, all: readonly Step[]) => {
  const failures: string[] = []
  const lone = new LoneTask(program(kind, add), {
    freezeState,
    onFailure: ({ fault }) => {
      failures.push(fault.summary)
      return 'continue'
    },
  })
  for (const { key, items, timestamp, commits } of all) {
    lone.push(boxes, key, { items, inner: { sum: 0 } }, { timestamp })
    lone.task.process(Infinity)
    if (commits) lone.task.prepareCommit()
  }
  lone.task.prepareCommit()
  const store = lone.task.stores.get('rows') as unknown as { all(): Iterable<readonly [unknown, unknown]> }
  return { failures, rows: [...store.all()], sent: lone.sent.map(({ record }) => record.value) }
}

describe.each([
  ['as in production', false],
  ['with frozen state', true],
])('an aggregator that adds in place, %s,', (_where, freezeState) => {
  it.each(Object.keys(kinds))('leaves, sends and fails what one does that makes a new object: %s', (name) => {
    const kind = kinds[name] as Kind
    fc.assert(
      fc.property(steps, (all) => {
        const inPlace = run(kind, addInPlace, freezeState, all)
        expect(inPlace).toEqual(run(kind, addToCopy, true, all))
        if (!all.some(({ items }) => items.includes(unlucky))) expect(inPlace.failures).toEqual([])
      }),
      { numRuns: 50 },
    )
  })
})
