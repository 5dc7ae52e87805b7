import * as z from 'zod'
import type { Topic, Topology } from '../../../src/index.ts'
import {
  bigLong,
  bytes,
  keyValueStore,
  long,
  minutes,
  hours,
  seconds,
  session,
  string,
  topic,
  topology,
  tumbling,
} from '../../../src/index.ts'

const Order = z.object({ customer: z.string(), amount: z.number() })
export type Order = z.infer<typeof Order>

const Note = z.object({
  /** A date here, text on the wire. */
  at: z.codec(z.iso.datetime(), z.date(), {
    decode: (text) => new Date(text),
    encode: (date) => date.toISOString(),
  }),
  tags: z.array(z.string()),
})
export type Note = z.infer<typeof Note>

/** One store of each kind, for tests of queries. */
export interface Shop {
  readonly program: Topology
  readonly orders: Topic<string, Order>
  readonly prices: Topic<string, number>
  readonly notes: Topic<string, Note>
  readonly serials: Topic<Uint8Array, bigint>
  readonly regions: Topic<string, string>
}

export const shop = (unique: (prefix: string) => string): Shop => {
  const orders = topic(unique('orders'), { value: Order })
  const prices = topic(unique('prices'), { value: long })
  const notes = topic(unique('notes'), { value: Note })
  const serials = topic(unique('serials'), { key: bytes, value: bigLong })
  const regions = topic(unique('regions'), { value: string })
  const program = topology(unique('shop'), (builder) => {
    const byCustomer = builder.stream(orders).groupBy(({ value }) => value.customer, { name: 'by-customer' })
    byCustomer.count({ store: 'orders-by-customer' })
    byCustomer
      .windowedBy(tumbling({ size: minutes(1), grace: hours(1) }))
      .count({ store: 'orders-by-minute' })
    byCustomer.windowedBy(session({ gap: seconds(30), grace: hours(1) })).count({ store: 'orders-by-visit' })
    builder.table(prices, { store: 'prices', versioned: { historyRetention: hours(1) } })
    builder.table(notes, { store: 'notes' })
    builder.table(serials, { store: 'serials' })
    builder.globalTable(regions, { store: 'regions' })
    builder.store(keyValueStore('latest-amounts', { value: long }))
    builder.stream(orders).process(
      (context) => {
        const latest = context.store<{ put: (key: string, value: number, timestamp: number) => void }>(
          'latest-amounts',
        )
        return { process: ({ key, value, timestamp }) => latest.put(key, value.amount, timestamp) }
      },
      { stores: ['latest-amounts'] },
    )
  })
  return { program, orders, prices, notes, serials, regions }
}
