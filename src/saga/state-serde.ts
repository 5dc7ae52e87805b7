import type { Bytes } from '../base/bytes.ts'
import { bytesEqual, hexDecode, hexEncode, utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { AnySerde, Serde } from '../topic/serde.ts'
import type { Saga } from './saga.ts'
import type { SagaState } from './state.ts'

/**
 * How a saga's state stands in its store and changelog: JSON that a person can read. The start and the replies are
 * written by the serdes of their topics, so whatever a topic can carry a state can keep.
 */
export const stateSerde = (saga: Saga): Serde<SagaState> => {
  const serdes = new Map<string, AnySerde>(
    [...saga.repliesByTopic].map(([topic, { reply }]) => [topic, reply.topic.value]),
  )
  return {
    name: `saga(${saga.name})`,
    nullable: false,
    serialize: (state) => {
      const replies = mapKnown(state.replies, serdes, pack)
      return utf8Encode(JSON.stringify({ ...state, start: pack(saga.startedBy.value, state.start), replies }))
    },
    deserialize: (source, start, end) => {
      const stored = JSON.parse(utf8Decode(source, start, end)) as SagaState
      const replies = mapKnown(stored.replies, serdes, unpack)
      return { ...stored, start: unpack(saga.startedBy.value, stored.start), replies }
    },
  }
}

/** Replies on topics that a deploy has taken out of the saga are let go. */
const mapKnown = (
  values: Readonly<Record<string, unknown>>,
  serdes: ReadonlyMap<string, AnySerde>,
  convert: (serde: AnySerde, value: unknown) => unknown,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([topic, value]) => {
      const serde = serdes.get(topic)
      return serde === undefined ? [] : [[topic, convert(serde, value)]]
    }),
  )

/** JSON stands for itself, other bytes as hexadecimal digits. */
type Packed = { readonly json: unknown } | { readonly hex: string }

const pack = (serde: AnySerde, value: unknown): Packed => {
  const bytes = serde.serialize(value as never)
  return asJson(bytes) ?? { hex: hexEncode(bytes) }
}

const unpack = (serde: AnySerde, packed: unknown): unknown => {
  const stored = packed as Packed
  const bytes = 'hex' in stored ? hexDecode(stored.hex) : utf8Encode(JSON.stringify(stored.json))
  return serde.deserialize(bytes, 0, bytes.length)
}

/** Undefined unless these very bytes come out again. */
const asJson = (bytes: Bytes): Packed | undefined => {
  try {
    const json: unknown = JSON.parse(utf8Decode(bytes))
    return bytesEqual(utf8Encode(JSON.stringify(json)), bytes) ? { json } : undefined
  } catch {
    return undefined
  }
}
