import * as fc from 'fast-check'
import type { Bytes } from '../../../src/base/bytes.ts'
import { bytes as bytesSerde } from '../../../src/index.ts'
import { sessionWindowed, timeWindowed } from '../../../src/topic/windowed.ts'
import type { AnySerde, Serde } from '../../../src/topic/serde.ts'
import {
  combinedKeySerde,
  subscriptionResponseSerde,
  subscriptionSerde,
} from '../../../src/topic/subscription.ts'
import { bufferedChangeSerde } from '../../../src/topology/buffered-change.ts'
import { changeSerde } from '../../../src/topology/change-serde.ts'
import {
  bufferedKeySerde,
  bufferedValueSerde,
  waitingKeySerde,
  waitingValuesSerde,
} from '../../../src/topology/join-store-serdes.ts'
import type { Decoder } from './decoders.ts'

/** How far the row that is read reaches: its neighbours in the batch belong to others. */
let row = { start: 0, end: 0 }

/** Fails where a composite reads a part of itself outside of itself. */
const part: Serde<Bytes> = {
  ...bytesSerde,
  deserialize: (source, start, end) => {
    if (start < row.start || end > row.end || start > end)
      throw new AssertionError(`a part from ${start} to ${end} of a row from ${row.start} to ${row.end}`)
    return source.slice(start, end)
  },
}

/** No fault of bytes: a defect of a decoder. */
export class AssertionError extends Error {}

const neighbour = new Uint8Array(64).fill(1)

const rowOf = (name: string, serde: AnySerde, values: fc.Arbitrary<unknown>): Decoder => ({
  name,
  valid: values.map((value) => serde.serialize(value as never)),
  decode: (bytes) => {
    const source = Buffer.concat([neighbour, bytes, neighbour])
    row = { start: neighbour.length, end: neighbour.length + bytes.length }
    return serde.deserialize(source, row.start, row.end)
  },
})

const value = fc.uint8Array({ maxLength: 6 })
const time = fc.nat(1_000_000)
const header = fc.tuple(fc.string({ maxLength: 3 }), fc.option(value))
const context = {
  timestamp: time,
  offset: time,
  topic: fc.string({ maxLength: 5 }),
  partition: fc.nat(9),
  headers: fc.array(header, { maxLength: 3 }),
}
const hash = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }))

/** The rows of state, and what applications send each other over internal topics. */
export const rowDecoders: readonly Decoder[] = [
  rowOf(
    'an update that waits in a suppression',
    bufferedChangeSerde(part),
    fc.record({
      ...context,
      priorValue: fc.option(value),
      oldValue: fc.option(value),
      newValue: fc.option(value),
      bufferTimeMs: time,
    }),
  ),
  rowOf(
    'a change of a table',
    changeSerde(part),
    fc.record({ oldValue: value, newValue: value, isLatest: fc.constant(true) }),
  ),
  rowOf(
    'the key of a record that waits for a partner',
    waitingKeySerde(part),
    fc.record({ timestamp: time, side: fc.constantFrom('left', 'right'), key: value }),
  ),
  rowOf(
    'the values that wait for a partner',
    waitingValuesSerde(part, part),
    fc.record({ side: fc.constantFrom('left', 'right'), values: fc.array(value, { maxLength: 3 }) }),
  ),
  rowOf(
    'the key of a buffered record',
    bufferedKeySerde(part),
    fc.record({ timestamp: time, key: value, sequence: time }),
  ),
  rowOf('a buffered record', bufferedValueSerde(part), fc.record({ ...context, value })),
  rowOf(
    'a question of a foreign-key join',
    subscriptionSerde(part),
    fc.record({ hash, instruction: fc.nat(3), primaryKey: value, primaryPartition: fc.nat(9) }),
  ),
  rowOf('an answer of a foreign-key join', subscriptionResponseSerde(part), fc.record({ hash, value })),
  rowOf(
    'the key of a question',
    combinedKeySerde(part, part),
    fc.record({ foreignKey: value, primaryKey: value }),
  ),
  rowOf('the key of a window', timeWindowed(part, 10), fc.record({ key: value, startMs: time, endMs: time })),
  rowOf('the key of a session', sessionWindowed(part), fc.record({ key: value, startMs: time, endMs: time })),
]
