import type { Bytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import type { AnySerde } from './serde.ts'
import { deserialized, serialized } from './serde.ts'

/**
 * The messages of a foreign-key join, byte for byte as Kafka Streams' `SubscriptionWrapperSerde` (version 1),
 * `SubscriptionResponseWrapperSerde` (version 0) and `CombinedKeySchema`:
 *
 * - subscription: version and "no hash" bit | instruction | 16 bytes of hash, if any | primary key | partition as int32
 * - response: version and "no hash" bit | 16 bytes of hash, if any | the right row, nothing where there is none
 * - combined key: length of the foreign key as int32 | foreign key | primary key
 */

/** What the left side asks of the right side. */
export const instructions = {
  /** The row has gone elsewhere and asks there. */
  forget: 0,
  /** The row is gone: forget it and answer with nothing. */
  forgetAndAnswer: 1,
  /** Answer in any case: what was joined before may have to be withdrawn. */
  answer: 2,
  /** Answer if there is a right row. */
  answerIfFound: 3,
} as const

export type Instruction = (typeof instructions)[keyof typeof instructions]

export interface Subscription {
  /** The hash of the left row's bytes, by which the answer is recognised; null where the row was deleted. */
  readonly hash: Bytes | null
  readonly instruction: Instruction
  readonly primaryKey: unknown
  /** Where the answer is to go. */
  readonly primaryPartition: number
}

export interface SubscriptionResponse {
  readonly hash: Bytes | null
  /** The right row; null where there is none. */
  readonly value: unknown
  /** Where the answer goes; not part of its bytes. */
  readonly primaryPartition?: number | undefined
}

export interface CombinedKey {
  readonly foreignKey: unknown
  readonly primaryKey: unknown
}

const hashLength = 16
const withoutHash = 0x80
const subscriptionVersion = 1
const responseVersion = 0
/** Version, instruction and partition. */
const shortestSubscription = 6

/** Subscriptions by rows with such primary keys. */
export const subscriptionSerde = (primaryKey: AnySerde): AnySerde => ({
  name: `subscription(${primaryKey.name})`,
  nullable: false,
  serialize: (subscription: Subscription) => {
    const key = serialized(primaryKey, subscription.primaryKey as never)
    const hash = subscription.hash ?? noBytes
    const result = new Uint8Array(2 + hash.length + key.length + 4)
    result[0] = subscriptionVersion | (subscription.hash === null ? withoutHash : 0)
    result[1] = subscription.instruction
    result.set(hash, 2)
    result.set(key, 2 + hash.length)
    writeInt32(result, result.length - 4, subscription.primaryPartition)
    return result
  },
  deserialize: (source, start, end): Subscription => {
    if (end - start < shortestSubscription) throw tooShort('subscription', end - start)
    const version = (source[start] as number) & 0x7f
    if (version !== subscriptionVersion) throw unknownVersion('subscription', version)
    const hasHash = (source[start] as number) < withoutHash
    const keyStart = start + 2 + (hasHash ? hashLength : 0)
    if (keyStart > end - 4) throw tooShort('subscription', end - start)
    return {
      hash: hasHash ? source.slice(start + 2, keyStart) : null,
      instruction: source[start + 1] as Instruction,
      primaryKey: deserialized(primaryKey, source, keyStart, end - 4),
      primaryPartition: int32At(source, end - 4),
    }
  },
})

/** Answers with right rows of such values. An empty right row looks like none, as in Kafka Streams. */
export const subscriptionResponseSerde = (value: AnySerde): AnySerde => ({
  name: `subscriptionResponse(${value.name})`,
  nullable: false,
  serialize: (response: SubscriptionResponse) => {
    const hash = response.hash ?? noBytes
    const row = response.value === null ? noBytes : serialized(value, response.value as never)
    const result = new Uint8Array(1 + hash.length + row.length)
    result[0] = responseVersion | (response.hash === null ? withoutHash : 0)
    result.set(hash, 1)
    result.set(row, 1 + hash.length)
    return result
  },
  deserialize: (source, start, end): SubscriptionResponse => {
    if (start === end) throw tooShort('response', 0)
    const version = (source[start] as number) & 0x7f
    if (version !== responseVersion) throw unknownVersion('response', version)
    const hasHash = (source[start] as number) < withoutHash
    const valueStart = start + 1 + (hasHash ? hashLength : 0)
    if (valueStart > end) throw tooShort('response', end - start)
    return {
      hash: hasHash ? source.slice(start + 1, valueStart) : null,
      value: valueStart === end ? null : deserialized(value, source, valueStart, end),
    }
  },
})

/** The keys of the subscription store: all rows that ask for one foreign key stand side by side. */
export const combinedKeySerde = (foreignKey: AnySerde, primaryKey: AnySerde): AnySerde => ({
  name: `combinedKey(${foreignKey.name}, ${primaryKey.name})`,
  nullable: false,
  serialize: (key: CombinedKey) => {
    const prefix = combinedKeyPrefix(serialized(foreignKey, key.foreignKey as never))
    const primary = serialized(primaryKey, key.primaryKey as never)
    const result = new Uint8Array(prefix.length + primary.length)
    result.set(prefix)
    result.set(primary, prefix.length)
    return result
  },
  deserialize: (source, start, end): CombinedKey => {
    const foreignStart = start + 4
    const foreignEnd = foreignStart + (end < foreignStart ? 0 : int32At(source, start))
    if (foreignEnd < foreignStart || foreignEnd > end) throw tooShort('combined key', end - start)
    return {
      foreignKey: deserialized(foreignKey, source, foreignStart, foreignEnd),
      primaryKey: deserialized(primaryKey, source, foreignEnd, end),
    }
  },
})

/** What the combined keys of one foreign key begin with. */
export const combinedKeyPrefix = (foreignKey: Bytes): Bytes => {
  const result = new Uint8Array(4 + foreignKey.length)
  writeInt32(result, 0, foreignKey.length)
  result.set(foreignKey, 4)
  return result
}

const noBytes: Bytes = new Uint8Array(0)

const int32At = (source: Bytes, start: number): number =>
  ((source[start] as number) << 24) |
  ((source[start + 1] as number) << 16) |
  ((source[start + 2] as number) << 8) |
  (source[start + 3] as number)

const writeInt32 = (target: Bytes, start: number, value: number): void => {
  target[start] = value >>> 24
  target[start + 1] = value >>> 16
  target[start + 2] = value >>> 8
  target[start + 3] = value
}

const unknownVersion = (what: string, version: number): Fault =>
  new Fault({
    code: 'FOREIGN_KEY_MESSAGE_VERSION',
    actor: 'record',
    message: `a foreign-key join's ${what} has version ${version}, which this version cannot read`,
    remedy: 'upgrade every instance of the application',
  })

const tooShort = (what: string, length: number): Fault =>
  new Fault({
    code: 'FOREIGN_KEY_MESSAGE_SHORT',
    actor: 'record',
    message: `${length} bytes are too few for a foreign-key join's ${what}`,
    remedy: 'let no other application write to the topics of the join',
  })
