import type { Bytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import type { SerdePart, Serializer } from '../topic/serde.ts'
import { deserializeAll, serialized } from '../topic/serde.ts'
import type { Topic } from '../topic/topic.ts'
import type { StoredRecord } from './memory-topics.ts'
import type { MarbleOptions } from './marbles.ts'
import type { PipeOptions } from './pipe-options.ts'
import type { TestDrop } from './test-drop.ts'

/** A record as a test writes several of them. */
export interface TestInputRecord<out K, out V> extends PipeOptions {
  readonly key: K
  readonly value: V | null
}

/** Writes to a topic as a producer would. */
export interface TestInput<in K, in V> {
  /** Writes one record and runs the topologies until nothing is left to do. */
  pipe(key: K, value: V | null, options?: PipeOptions): void
  /**
   * Writes all records before the topologies run, and commits once after them, as an application under load does: the
   * records of a task are taken by their times over its partitions, and steps that emit on commit coalesce.
   */
  pipeAll(records: readonly TestInputRecord<K, V>[]): void
  /**
   * Writes the records of a marble diagram, each at its time: the driver's clock moves on from where it stands to the end of
   * the diagram, frame by frame. Records of one frame are written together.
   *
   * @example
   * driver.input(orders).marbles('a-b', { a: { key: 'order-1', value: order }, b: { key: 'order-2', value: order } })
   */
  marbles(
    diagram: string,
    records: Readonly<Record<string, TestInputRecord<K, V>>>,
    options?: MarbleOptions,
  ): void
  /** Writes bytes as they are: what no serde would write. */
  pipeBytes(key: Bytes | null, value: Bytes | null, options?: PipeOptions): void
}

/** A record as a test reads it. */
export interface TestRecord<out K, out V> {
  readonly key: K
  readonly value: V | null
  readonly timestamp: number
  readonly headers: Headers
  readonly partition: number
}

/** What of a topic its reader has to know. */
type Contract<K, V> = Pick<Topic<K, V>, 'name' | 'key' | 'value'>

/**
 * Reads a topic as a consumer would: each record once, in the order it was written.
 *
 * @example
 * driver.output(paymentCompleted).read() // { key: 'order-123', value: { paid: true }, timestamp: 0, ... }
 */
export class TestOutput<K, V> {
  readonly topic: string
  /** @internal Where the matchers ask why a record is missing. */
  readonly drops: () => readonly TestDrop[]
  /** @internal The time at which the driver began: that of the first frame of marbles. */
  readonly startMs: number
  readonly #contract: Contract<K, V>
  readonly #take: (count: number) => readonly StoredRecord[]

  /** @internal */
  constructor(
    contract: Contract<K, V>,
    drops: () => readonly TestDrop[],
    take: (count: number) => readonly StoredRecord[],
    startMs: number,
  ) {
    this.startMs = startMs
    this.topic = contract.name
    this.drops = drops
    this.#contract = contract
    this.#take = take
  }

  readAll(): TestRecord<K, V>[] {
    return this.#take(Infinity).map((record) => decode(this.#contract, record))
  }

  /** The next record; undefined where there is none. */
  read(): TestRecord<K, V> | undefined {
    return this.#take(1).map((record) => decode(this.#contract, record))[0]
  }

  /** Keys and values only, which is what most tests compare. */
  readKeyValues(): { readonly key: K; readonly value: V | null }[] {
    return this.readAll().map(({ key, value }) => ({ key, value }))
  }

  /** The latest value by key of everything unread; deleted keys are left out. */
  readTable(): Map<K, V> {
    const latest = new Map<K, V>()
    for (const { key, value } of this.readAll())
      if (value === null) latest.delete(key)
      else latest.set(key, value)
    return latest
  }
}

const decode = <K, V>(topic: Contract<K, V>, record: StoredRecord): TestRecord<K, V> => ({
  key: (record.key === null ? null : deserializeAll(topic.key, record.key)) as K,
  value: record.value === null ? null : deserializeAll(topic.value, record.value),
  timestamp: record.timestamp,
  headers: record.headers,
  partition: record.partition,
})

export const bytesOrNull = <T>(
  serde: Serializer<NonNullable<T>>,
  value: T | null,
  part: SerdePart,
  topic: string,
): Bytes | null => (value === null || value === undefined ? null : serialized(serde, value, part, topic))
