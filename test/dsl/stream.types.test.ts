import { describe, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import type { KeyValueRecord, Stream, Table } from '../../src/index.ts'
import { long, nullable, otherwise, string, topic, topology } from '../../src/index.ts'

const Paid = z.object({ kind: z.literal('paid'), amount: z.number() })
const Refused = z.object({ kind: z.literal('refused'), reason: z.string() })
const Outcome = z.union([Paid, Refused])
type Outcome = z.infer<typeof Outcome>
type Paid = z.infer<typeof Paid>

const outcomes = topic('outcomes', { value: Outcome })
const counts = topic('counts', { value: long })
const isPaid = (record: KeyValueRecord<string, Outcome>): record is KeyValueRecord<string, Paid> =>
  record.value.kind === 'paid'

describe('types follow the chain', () => {
  it('a filter with a guard narrows, a branch too', () => {
    topology('narrow', (builder) => {
      const stream = builder.stream(outcomes)
      expectTypeOf(stream).toEqualTypeOf<Stream<string, Outcome>>()
      expectTypeOf(stream.filter(isPaid)).toEqualTypeOf<Stream<string, Paid>>()
      const { paid, rest } = stream.split({ paid: isPaid, rest: otherwise })
      expectTypeOf(paid).toEqualTypeOf<Stream<string, Paid>>()
      expectTypeOf(rest).toEqualTypeOf<Stream<string, Outcome>>()
    })
  })

  it('an aggregate is a table whose stream may hold deletions', () => {
    topology('aggregate', (builder) => {
      const table = builder.stream(outcomes).groupByKey().count({ store: 'count' })
      expectTypeOf(table).toEqualTypeOf<Table<string, number>>()
      expectTypeOf(table.toStream()).toEqualTypeOf<Stream<string, number | null>>()
      table.toStream().to(counts)
    })
  })

  it('a nullable topic says so', () => {
    topology('nullable', (builder) => {
      const source = topic('maybe', { key: nullable(string), value: nullable(long) })
      expectTypeOf(builder.stream(source)).toEqualTypeOf<Stream<string | null, number | null>>()
      expectTypeOf(builder.stream(source).groupByKey().count({ store: 'n' })).toEqualTypeOf<
        Table<string, number>
      >()
    })
  })

  it('refuses a sink of another type', () => {
    topology('refused', (builder) => {
      // @ts-expect-error -- numbers are not outcomes
      builder.stream(counts).to(outcomes)
    })
  })

  it('asks for a key serde where the new key is no text', () => {
    topology('key-serde', (builder) => {
      const stream = builder.stream(outcomes)
      stream.groupBy(({ key }) => key, { name: 'text' })
      stream.groupBy(({ key }) => key.length, { name: 'number', key: long })
      // @ts-expect-error -- a number is not written as text
      stream.groupBy(({ key }) => key.length, { name: 'missing' })
    })
  })
})
