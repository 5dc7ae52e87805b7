import * as z from 'zod'
import type { Stream } from '../../../src/dsl/stream.ts'
import { bytes, long, string, topic, topology, within } from '../../../src/index.ts'
import type { SettingsInput, SinkTopic, Topology } from '../../../src/index.ts'
import type { Serde } from '../../../src/topic/serde.ts'

/** The ways in which one record of three can fail, each with what a user reads of it. */
export const Order = z.object({ amount: z.number() })
type Order = z.output<typeof Order>

type Handler = 'deserializationFailure' | 'processingFailure' | 'productionFailure'

export interface FailingRecord {
  readonly what: string
  readonly handler: Handler
  /** The second of three records fails. */
  readonly key: string
  readonly value: string
  readonly program: (name: string, from: string, to: string) => Topology
  readonly node: string
  /** What the message begins with, before the place; `to` is the topic that is written. */
  readonly says: (to: string) => string
  readonly remedy: string
  /** What KIP-1034 calls the exception. */
  readonly exception: string
  readonly settings?: Partial<SettingsInput>
}

const remedies: Readonly<Record<Handler, string>> = {
  deserializationFailure: 'fix the producer, or set deserializationFailure to skip or deadLetter',
  processingFailure: 'fix the processor or the record, or set processingFailure to skip or deadLetter',
  productionFailure: 'fix what is written, or set productionFailure to skip or deadLetter',
}

const unlucky = 13
const refuse = (amount: number): void => {
  if (amount === unlucky) throw new RangeError('13 is unlucky')
}

/** A topology that takes orders through one step into the topic `to`. */
const stepped =
  (step: (orders: Stream<string, Order>, sink: SinkTopic<string, Uint8Array>, from: string) => void) =>
  (name: string, from: string, to: string): Topology =>
    topology(name, (builder) => {
      const orders = topic(from, { key: string, value: Order })
      step(builder.stream(orders, { name: 'orders' }), topic(to, { key: string, value: bytes }), from)
    })

const encoded = ({ amount }: Order): Uint8Array => new TextEncoder().encode(String(amount))
const checked = (order: Order): Uint8Array => {
  refuse(order.amount)
  return encoded(order)
}
const text = { key: 'bad', value: '{"amount":13}' }

/** Refuses to write what is unlucky. */
const picky: Serde<Uint8Array> = {
  ...bytes,
  serialize: (value) => {
    refuse(Number(new TextDecoder().decode(value)))
    return value
  },
}

const thrown = (
  what: string,
  node: string,
  step: Parameters<typeof stepped>[0],
  handler: Handler = 'processingFailure',
): FailingRecord => ({
  ...text,
  what,
  node,
  handler,
  program: stepped(step),
  says: () => '13 is unlucky',
  remedy: remedies[handler],
  exception: 'RangeError',
})

const extracting = (name: string, from: string, to: string): Topology =>
  topology(name, (builder) => {
    builder
      .stream(topic(from, { key: string, value: Order }), {
        name: 'orders',
        timestampExtractor: ({ value, timestamp }) => {
          refuse(value.amount)
          return timestamp
        },
      })
      .mapValues(encoded, { value: bytes })
      .to(topic(to, { key: string, value: bytes }))
  })

const largest = 1_048_576

export const failingRecords: readonly FailingRecord[] = [
  {
    what: 'a key that cannot be read',
    handler: 'deserializationFailure',
    key: 'bad',
    value: '{"amount":1}',
    program: (name, from, to) =>
      topology(name, (builder) => {
        builder
          .stream(topic(from, { key: long, value: Order }))
          .filter(({ key }) => key > 0, { name: 'positive' })
          .to(topic(to, { key: long, value: Order }))
      }),
    node: 'positive',
    says: () => 'long serde: 3 bytes are not a long of 8 bytes',
    remedy: 'check what is on the topic',
    exception: 'Fault: SERDE_VALUE_INVALID',
  },
  {
    what: 'a value that cannot be read',
    handler: 'deserializationFailure',
    key: 'bad',
    value: '{"amount":',
    program: stepped((orders, sink) => orders.mapValues(encoded, { name: 'encode', value: bytes }).to(sink)),
    node: 'encode',
    says: () => 'the value is not JSON',
    remedy: 'fix the producer, or route such records to the dead letter topic',
    exception: 'SyntaxError',
  },
  {
    what: 'a value that its schema refuses',
    handler: 'deserializationFailure',
    key: 'bad',
    value: '{"amount":"1"}',
    program: stepped((orders, sink) => orders.mapValues(encoded, { name: 'encode', value: bytes }).to(sink)),
    node: 'encode',
    says: () =>
      "the value read breaks the topic's schema: amount: Invalid input: expected number, received string",
    remedy: remedies.deserializationFailure,
    exception: 'ZodError',
  },
  thrown('a filter that throws', 'lucky', (orders, sink) =>
    orders
      .filter(({ value }) => checked(value).length > 0, { name: 'lucky' })
      .mapValues(encoded, { value: bytes })
      .to(sink),
  ),
  thrown('a mapper that throws', 'check', (orders, sink) =>
    orders.mapValues(checked, { name: 'check', value: bytes }).to(sink),
  ),
  thrown('an aggregator that throws', 'sum', (orders, sink) =>
    orders
      .groupByKey()
      .aggregate({
        name: 'sum',
        store: 'sums',
        initial: () => 0,
        add: (sum, { amount }) => (sum ?? 0) + checked({ amount }).length,
        value: long,
      })
      .toStream()
      .mapValues((sum) => encoded({ amount: sum ?? 0 }), { value: bytes })
      .to(sink),
  ),
  thrown('a joiner that throws', 'pair', (orders, sink) =>
    orders
      .join(
        orders.filter(() => true),
        checked,
        { name: 'pair', windows: within(10), value: bytes },
      )
      .to(sink),
  ),
  {
    ...thrown('a timestamp extractor that throws', 'orders', () => undefined),
    program: extracting,
  },
  thrown('asynchronous work that is rejected', 'ask', (orders, sink) =>
    orders
      .mapValuesAsync((order) => Promise.resolve(order).then(checked), { name: 'ask', value: bytes })
      .to(sink),
  ),
  thrown(
    'a value that cannot be written',
    'write',
    (orders, { name }) =>
      orders
        .mapValues(encoded, { value: bytes })
        .to(topic(name, { key: string, value: picky }), { name: 'write' }),
    'productionFailure',
  ),
  {
    ...text,
    what: 'a record that is too large to be sent',
    handler: 'productionFailure',
    program: stepped((orders, sink) =>
      orders
        .mapValues((order) => (order.amount === unlucky ? new Uint8Array(largest) : encoded(order)), {
          value: bytes,
        })
        .to(sink, { name: 'write' }),
    ),
    node: 'write',
    says: (to) =>
      `a record of ${largest + 3} bytes exceeds maxRequestSize (${largest}), written to topic ${to}, partition 0`,
    remedy: "make it smaller, or raise maxRequestSize and the topic's max.message.bytes",
    exception: 'Fault: RECORD_TOO_LARGE',
  },
]
