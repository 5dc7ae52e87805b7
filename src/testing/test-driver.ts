import type { Bytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import { ManualClock } from '../base/manual-clock.ts'
import type { StateStore } from '../state/store.ts'
import type { DropReason, Output, SinkTarget, TaskFailure } from '../task/ports.ts'
import type { FailureDecision, Task } from '../task/task.ts'
import type { FailurePolicies } from '../task/failure-policy.ts'
import { judgeBy } from '../task/failure-policy.ts'
import type { Headers } from '../topic/headers.ts'
import type { RecordRow } from '../topic/record-columns.ts'
import { partitionForKey } from '../topic/murmur2.ts'
import type { AnyRecord } from '../topology/node.ts'
import { keyBytesOf, valueBytesOf } from '../topic/record.ts'
import type { Serializer } from '../topic/serde.ts'
import { deserializeAll } from '../topic/serde.ts'
import type { Topic } from '../topic/topic.ts'
import type { Topology } from '../topology/topology.ts'
import { TestApplication } from './application.ts'
import type { StoredRecord } from './memory-topics.ts'
import { MemoryTopics } from './memory-topics.ts'

export interface TestDriverOptions {
  /** How many partitions each topic has: one number for all, or by name with 1 for the rest. 1 unless given. */
  readonly partitions?: number | Readonly<Record<string, number>>
  /** Where the clock starts, in milliseconds since the epoch. 0 unless given. */
  readonly startMs?: number
  /** What a failed record means: judged by the policies below unless given. */
  readonly onFailure?: (failure: TaskFailure) => FailureDecision
  /** After how long without a record stream time follows the clock, as the setting of that name; never unless given. */
  readonly idleAdvanceMs?: number
  /** As the settings of the same names; `fail` (thrown from `pipe`) unless given. */
  readonly policies?: Partial<FailurePolicies>
  /** Takes what the policy `deadLetter` leaves out. `dead-letters` unless given. */
  readonly deadLetterTopic?: string
  /** When state and held-back results go out: after each record, or only by `commit()`. */
  readonly commit?: 'everyRecord' | 'manual'
}

export interface PipeOptions {
  /** Milliseconds since the epoch; the driver's clock unless given. */
  readonly timestamp?: number
  readonly headers?: Headers
  /** The partition; that of the key unless given. */
  readonly partition?: number
}

/** Writes to a topic as a producer would. */
export interface TestInput<K, V> {
  /** Writes one record and runs the topologies until nothing is left to do. */
  pipe(key: K, value: V | null, options?: PipeOptions): void
  /** Writes bytes as they are: what no serde would write. */
  pipeBytes(key: Bytes | null, value: Bytes | null, options?: PipeOptions): void
}

/** A record as a test reads it. */
export interface TestRecord<K, V> {
  readonly key: K
  readonly value: V | null
  readonly timestamp: number
  readonly headers: Headers
  readonly partition: number
}

/** Reads a topic as a consumer would: each record once, in the order it was written. */
export interface TestOutput<K, V> {
  readAll(): TestRecord<K, V>[]
  /** The next record; undefined where there is none. */
  read(): TestRecord<K, V> | undefined
  /** Keys and values only, which is what most tests compare. */
  readKeyValues(): { readonly key: K; readonly value: V | null }[]
  /** The latest value by key of everything unread; deleted keys are left out. */
  readTable(): Map<K, V>
}

/**
 * Runs one or more topologies in memory: no broker, no sleep, no threads. Several share their topics, so that a whole
 * choreography is tested in one place. Each topology's name is its application id.
 *
 * @example
 * const driver = testDriver(payment)
 * driver.input(orderPlaced).pipe('order-123', { status: 'created' })
 * expect(driver.output(paymentCompleted).readKeyValues()).toEqual([{ key: 'order-123', value: { paid: true } }])
 */
export const testDriver = (
  topologies: Topology | readonly Topology[],
  options: TestDriverOptions = {},
): TestDriver => new TestDriver(Array.isArray(topologies) ? topologies : [topologies as Topology], options)

export class TestDriver {
  readonly clock: ManualClock
  readonly #topics = new MemoryTopics()
  readonly #applications: readonly TestApplication[]
  readonly #options: TestDriverOptions
  readonly #dropped = new Map<DropReason, number>()
  readonly #read = new Map<string, number>()
  readonly #judge: (failure: TaskFailure, record: AnyRecord | undefined) => FailureDecision

  constructor(topologies: readonly Topology[], options: TestDriverOptions) {
    this.#options = options
    this.clock = new ManualClock(options.startMs ?? 0)
    this.#judge = judgeBy(
      {
        deserializationFailure: 'fail',
        processingFailure: 'fail',
        productionFailure: 'fail',
        ...options.policies,
      },
      {
        deadLetter: (row) => this.#deadLetter(options.deadLetterTopic ?? 'dead-letters', row),
        leftOut: () => this.#count('failed'),
      },
    )
    this.#applications = topologies.map(
      (topology) =>
        new TestApplication(topology, {
          clock: this.clock,
          output: this.#output,
          changelog: (topic, partition) => ({
            append: (_store, key, value, timestamp, headers = []) => {
              this.#topics.append(topic, partition, { key, value, timestamp, headers })
            },
          }),
          dropped: (reason) => this.#count(reason),
          partitionsOf: (topic) => this.#partitionsOf(topic),
          idleAdvanceMs: options.idleAdvanceMs,
          onFailure: (failure, record) => this.#options.onFailure?.(failure) ?? this.#judge(failure, record),
        }),
    )
  }

  /** A writer of a topic. */
  input<K, V>(topic: Topic<K, V>): TestInput<K, V> {
    return {
      pipe: (key, value, options = {}) =>
        this.#pipe(topic.name, bytesOrNull(topic.key, key), bytesOrNull(topic.value, value), options),
      pipeBytes: (key, value, options = {}) => this.#pipe(topic.name, key, value, options),
    }
  }

  /** A reader of a topic; all readers of one topic share their position. */
  output<K, V>(topic: Pick<Topic<K, V>, 'name' | 'key' | 'value'>): TestOutput<K, V> {
    const readAll = (): TestRecord<K, V>[] =>
      this.#take(topic.name, Infinity).map((record) => decode(topic, record))
    return {
      readAll,
      read: () => this.#take(topic.name, 1).map((record) => decode(topic, record))[0],
      readKeyValues: () => readAll().map(({ key, value }) => ({ key, value })),
      readTable: () => latestOf(readAll()),
    }
  }

  /** Moves the clock on, running the wall-clock punctuators that fall due, one by one at their times. */
  advanceWallClock(durationMs: number): void {
    this.clock.advance(durationMs)
    for (const task of this.#tasks()) task.punctuateWallClock()
    this.#run()
    this.#commitAll()
    this.#run()
  }

  /**
   * Moves stream time on in every task although no record came, as the runtime does for idle inputs: windows close and
   * stream-time punctuators run.
   */
  advanceStreamTime(streamTimeMs: number): void {
    for (const task of this.#tasks()) task.advanceStreamTime(streamTimeMs)
    this.#run()
    this.#commitAll()
    this.#run()
  }

  /**
   * Resolves when asynchronous work (`mapAsync`) is done and its results have gone through the topologies. Work that
   * waits for the clock (a pause before a retry) is left waiting: move the clock, then await this again.
   */
  async settled(): Promise<void> {
    for (;;) {
      this.#run()
      const working = this.#tasks().filter((task) => task.isWorking)
      if (working.length === 0) break
      await Promise.race(working.flatMap((task) => task.pendingAsync() ?? []))
    }
    this.#commitAll()
    this.#run()
  }

  /** Does what the runtime does at a commit, in every task: held-back results go out, changes reach the changelog. */
  commit(): void {
    this.#commitAll()
    this.#run()
  }

  /** A store by name, of the first partition unless one is named. */
  store<S = StateStore>(name: string, partition = 0): S {
    for (const application of this.#applications) {
      const global = application.globals.get(name)
      if (global !== undefined) return global as unknown as S
      for (const task of application.tasks) {
        const store = task.partition === partition ? task.stores.get(name) : undefined
        if (store !== undefined) return store as unknown as S
      }
    }
    throw new Fault({
      code: 'STORE_UNKNOWN',
      actor: 'author',
      message: `no topology of this driver has a store '${name}' in partition ${partition}`,
      remedy: `name one of ${this.#storeNames().join(', ') || 'none: there are no stores'}`,
    })
  }

  /** How many records were dropped on purpose, by reason. */
  dropped(): Readonly<Partial<Record<DropReason, number>>> {
    return Object.fromEntries(this.#dropped)
  }

  /** The names of all topics that hold a record, internal ones included. */
  topics(): readonly string[] {
    return this.#topics.names()
  }

  close(): void {
    for (const task of this.#tasks()) task.close()
  }

  #pipe(topic: string, key: Bytes | null, value: Bytes | null, options: PipeOptions): void {
    const partition = options.partition ?? this.#partitionFor(topic, key)
    const record = {
      key,
      value,
      timestamp: options.timestamp ?? this.clock.now(),
      headers: options.headers ?? [],
    }
    this.#write(topic, partition, record)
    this.#run()
  }

  #deadLetter(topic: string, row: RecordRow): void {
    const record = { ...row, headers: row.headers ?? [] }
    this.#write(topic, this.#partitionFor(topic, row.key), record)
  }

  #count(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1)
  }

  #write(topic: string, partition: number, record: Omit<StoredRecord, 'offset' | 'partition'>): void {
    const stored = this.#topics.append(topic, partition, record)
    for (const application of this.#applications) application.deliver(topic, stored)
  }

  readonly #output: Output = {
    send: (topic: string, target: SinkTarget, record: AnyRecord): void => {
      const key = keyBytesOf(record, target.key as Serializer<unknown>)
      const value = valueBytesOf(record, target.value as Serializer<unknown>)
      const chosen = target.partitioner?.(record, this.#partitionsOf(topic))
      const partition = chosen ?? this.#partitionFor(topic, key)
      this.#write(topic, partition, { key, value, timestamp: record.timestamp, headers: record.headers })
    },
  }

  /** Processes whatever waits, smallest timestamp first over all tasks of a topology, until nothing does. */
  #run(): void {
    for (let task = this.#nextTask(); task !== undefined; task = this.#nextTask()) {
      task.process(1)
      if (this.#options.commit !== 'manual') task.prepareCommit()
    }
  }

  #nextTask(): Task | undefined {
    let best: Task | undefined
    let bestTime = Infinity
    for (const task of this.#tasks()) {
      if (!task.isReady) continue
      if (task.queued === 0) return task
      for (const queue of task.queues)
        if (queue.size > 0 && (best === undefined || queue.headTimestamp < bestTime)) {
          best = task
          bestTime = queue.headTimestamp
        }
    }
    return best
  }

  #commitAll(): void {
    for (const task of this.#tasks()) task.prepareCommit()
  }

  #tasks(): readonly Task[] {
    return this.#applications.flatMap(({ tasks }) => tasks)
  }

  #storeNames(): readonly string[] {
    return this.#applications.flatMap(({ topology }) => topology.stores.map(({ name }) => name))
  }

  #take(topic: string, count: number): readonly StoredRecord[] {
    const from = this.#read.get(topic) ?? 0
    const taken = this.#topics.of(topic).slice(from, from + count)
    this.#read.set(topic, from + taken.length)
    return taken
  }

  #partitionFor(topic: string, key: Bytes | null): number {
    return key === null ? 0 : partitionForKey(key, this.#partitionsOf(topic))
  }

  #partitionsOf(topic: string): number {
    for (const { repartitions } of this.#applications ?? []) {
      const count = repartitions.get(topic)
      if (count !== undefined) return count
    }
    const { partitions } = this.#options
    return typeof partitions === 'number' ? partitions : (partitions?.[topic] ?? 1)
  }
}

const bytesOrNull = <T>(serde: Serializer<NonNullable<T>>, value: T | null): Bytes | null =>
  value === null || value === undefined ? null : serde.serialize(value)

const decode = <K, V>(topic: Pick<Topic<K, V>, 'key' | 'value'>, record: StoredRecord): TestRecord<K, V> => ({
  key: (record.key === null ? null : deserializeAll(topic.key, record.key)) as K,
  value: record.value === null ? null : deserializeAll(topic.value, record.value),
  timestamp: record.timestamp,
  headers: record.headers,
  partition: record.partition,
})

const latestOf = <K, V>(records: readonly TestRecord<K, V>[]): Map<K, V> => {
  const latest = new Map<K, V>()
  for (const { key, value } of records)
    if (value === null) latest.delete(key)
    else latest.set(key, value)
  return latest
}
