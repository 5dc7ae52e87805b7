import type { Bytes } from '../base/bytes.ts'
import { smallestOf } from '../base/extremes.ts'
import { Fault, isFault } from '../base/fault.ts'
import { isThenable } from '../base/promises.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import {
  anyObject,
  bytesOrNullKind,
  callback,
  durationMs as durationKind,
  listOf,
} from '../base/value-kinds.ts'
import { ManualClock } from '../base/manual-clock.ts'
import type {
  KeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  VersionedStore,
  WindowStore,
} from '../state/store.ts'
import { chosenPartitions } from '../task/chosen-partition.ts'
import type { DropReason, Output, SinkTarget, TaskFailure } from '../task/ports.ts'
import type { FailureDecision, Task } from '../task/task.ts'
import { handleByPolicy, leftOutReason } from '../task/failure-policy.ts'
import type { RecordRow } from '../topic/record-columns.ts'
import { partitionForKey } from '../topic/murmur2.ts'
import type { AnyRecord, NodeOf } from '../topology/node.ts'
import { defaultMaxRequestSize, refuseTooLarge, sizeOfHeaders } from '../topic/record-size.ts'
import { keyBytesOf, valueBytesOf } from '../topic/record.ts'
import type { Serializer } from '../topic/serde.ts'
import type { Topic } from '../topic/topic.ts'
import { topicContract } from '../topic/value-kinds.ts'
import { nodeNamed, type Topology } from '../topology/topology.ts'
import { topologyKind } from '../topology/topology-kind.ts'
import { TestApplication } from './application.ts'
import type { TestDriverOptions } from './driver-options.ts'
import { testDriverOptions } from './driver-options.ts'
import { Explanation } from './explanation.ts'
import { KnownTopics } from './known-topics.ts'
import { diagramOf } from './marbles.ts'
import type { StoredRecord } from './memory-topics.ts'
import { MemoryTopics } from './memory-topics.ts'
import type { PipeOptions } from './pipe-options.ts'
import { checkPipeOptions } from './pipe-options.ts'
import { valueAtSink } from './sink-value.ts'
import { TestStores } from './test-stores.ts'
import type { TestDrop } from './test-drop.ts'
import type { TestInput, TestInputRecord } from './test-topic.ts'
import { bytesOrNull, TestOutput } from './test-topic.ts'
import { Trace } from './trace.ts'
import { WaitingQueues } from './waiting-queues.ts'

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

const recordsKind = listOf({ needs: 'a record { key, value }', accepts: anyObject.accepts })

/**
 * Runs topologies in a test. `testDriver` returns it. `using` closes it at the end of the test.
 *
 * @example
 * using driver = testDriver(payment)
 * driver.input(orderPlaced).pipe('order-123', { status: 'created' })
 */
export class TestDriver {
  readonly clock: ManualClock
  readonly #topics = new MemoryTopics()
  readonly #applications: readonly TestApplication[]
  readonly #known: KnownTopics
  readonly #stores: TestStores
  readonly #options: TestDriverOptions
  readonly #withoutRecordCache: boolean
  readonly #drops: TestDrop[] = []
  readonly #read = new Map<string, number>()
  readonly #waiting = new WaitingQueues()
  readonly #trace = new Trace()
  readonly #decide: (failure: TaskFailure, record: AnyRecord | undefined) => FailureDecision
  readonly #leftOut: Partial<Record<DropReason, number>> = {}
  #commitRequested = false
  #state: 'open' | 'closed' = 'open'

  /** @internal `withoutRecordCache` is for comparisons with recordings of Kafka Streams that were made so. */
  constructor(topologies: readonly Topology[], options: TestDriverOptions, withoutRecordCache = false) {
    if (topologies.length === 0) checkArgument('testDriver', undefined, topologiesKind)
    for (const topology of topologies) checkArgument('testDriver', topology, topologiesKind)
    checkOptions('testDriver', options, testDriverOptions)
    refuseSharedNames(topologies)
    this.#options = options
    this.#withoutRecordCache = withoutRecordCache
    this.clock = new ManualClock(options.startMs ?? 0)
    this.#decide = this.#handlerFor(options)
    this.#applications = topologies.map((topology) => this.#application(topology))
    this.#known = new KnownTopics(topologies, options.deadLetterTopic ?? defaultDeadLetterTopic)
    this.#stores = new TestStores(this.#applications)
  }

  /** A writer of a topic that a topology of this driver reads. */
  input<K, V>(topic: Topic<K, V>): TestInput<K, V> {
    checkArgument('input', topic, topicContract)
    this.#known.refuseUnread(topic.name)
    const write = (key: K, value: V | null, options: PipeOptions): void =>
      this.#pipe(
        topic.name,
        bytesOrNull(topic.key, key, 'key', topic.name),
        bytesOrNull(topic.value, value, 'value', topic.name),
        options,
        {
          key,
          value,
        },
      )
    return {
      pipe: (key, value, options = {}) => {
        write(key, value, options)
        this.#run()
      },
      pipeAll: (records) => {
        checkArgument(`pipeAll of topic '${topic.name}'`, records, recordsKind)
        for (const { key, value, ...options } of records) write(key, value, options)
        this.#runAsOne()
      },
      marbles: (diagram, records, options = {}) => {
        const { marbles, durationMs } = diagramOf(
          `marbles of topic '${topic.name}'`,
          diagram,
          records,
          options,
        )
        const beganMs = this.clock.now()
        const moveTo = (afterMs: number): void => {
          const restMs = beganMs + afterMs - this.clock.now()
          if (restMs > 0) this.advanceWallClock(restMs)
        }
        for (const [index, { label, afterMs }] of marbles.entries()) {
          moveTo(afterMs)
          const { key, value, ...rest } = records[label] as TestInputRecord<K, V>
          write(key, value, rest)
          if (marbles[index + 1]?.afterMs !== afterMs) this.#run()
        }
        moveTo(durationMs)
      },
      pipeBytes: (key, value, options = {}) => {
        checkArgument(`pipeBytes of topic '${topic.name}': key`, key, bytesOrNullKind)
        checkArgument(`pipeBytes of topic '${topic.name}': value`, value, bytesOrNullKind)
        this.#pipe(topic.name, key, value, options, { key, value })
        this.#run()
      },
    }
  }

  /** A reader of a topic that a topology of this driver writes; all readers of one topic share their position. */
  output<K, V>(topic: Pick<Topic<K, V>, 'name' | 'key' | 'value'>): TestOutput<K, V> {
    checkArgument('output', topic, topicContract)
    this.#known.refuseUnwritten(topic.name)
    return new TestOutput(
      topic,
      () => this.#drops,
      (count) => this.#take(topic.name, count),
      this.#options.startMs ?? 0,
    )
  }

  /**
   * Moves the clock on from one due time to the next, calling the wall-clock punctuators at their times: one of every
   * second is called ten times in ten seconds. Kafka Streams' driver moves in one jump and calls it once.
   */
  advanceWallClock(durationMs: number): void {
    this.#refuseClosed()
    checkArgument('advanceWallClock', durationMs, durationKind)
    // A step of the clock since then is noticed before the clock moves on, as between two polls in production.
    for (const task of this.#tasks()) task.punctuateWallClock()
    this.#settle()
    const untilMs = this.clock.now() + durationMs
    for (;;) {
      const dueMs = smallestOf(this.#tasks().map(({ nextWallClockDueMs }) => nextWallClockDueMs))
      this.clock.advance(Math.max(0, Math.min(dueMs, untilMs) - this.clock.now()))
      for (const task of this.#tasks()) task.punctuateWallClock()
      this.#settle()
      if (dueMs >= untilMs) return
    }
  }

  /**
   * Moves stream time on in every task although no record came, as the runtime does for idle inputs: windows close and
   * stream-time punctuators run.
   */
  advanceStreamTime(streamTimeMs: number): void {
    this.#refuseClosed()
    checkArgument('advanceStreamTime', streamTimeMs, durationKind)
    for (const task of this.#tasks()) task.advanceStreamTime(streamTimeMs)
    this.#settle()
  }

  /**
   * Resolves when asynchronous work (`mapAsync`) is done and its results have gone through the topologies. Work that
   * waits for the clock (a pause before a retry) is left waiting: move the clock, then await this again.
   */
  async settled(): Promise<void> {
    this.#refuseClosed()
    for (;;) {
      this.#run()
      const working = this.#tasks().filter((task) => task.isWorking)
      if (working.length === 0) break
      await Promise.race(working.flatMap((task) => task.pendingAsync() ?? []))
    }
    this.#settle()
  }

  /** Does what the runtime does at a commit, in every task: coalesced results go out, changes reach the changelog. */
  commit(): void {
    this.#refuseClosed()
    this.#commitAll()
    this.#run()
  }

  /**
   * Records what becomes of every record while `work` runs: which nodes saw it, what they emitted, wrote and dropped, and
   * why. A record that stops its task is part of the explanation and not thrown.
   *
   * @example
   * console.log(String(driver.explain(() => driver.input(orders).pipe('order-123', order))))
   */
  explain(work: () => Promise<void>): Promise<Explanation>
  explain(work: () => void): Explanation
  explain(work: () => void | Promise<void>): Explanation | Promise<Explanation> {
    checkArgument('explain', work, callback)
    this.#stores.watch((store, key, value) => this.#trace.stored(store, key, value))
    this.#trace.start()
    try {
      const pending: unknown = work()
      if (!isThenable(pending)) return this.#explained(undefined)
      return Promise.resolve(pending).then(
        () => this.#explained(undefined),
        (error: unknown) => this.#explained(error),
      )
    } catch (error) {
      return this.#explained(error)
    }
  }

  /** A store by name, of the first partition unless one is named. The methods after it know its kind. */
  store<S = StateStore>(name: string, partition = 0): S {
    return this.#stores.find(name, partition).store as unknown as S
  }

  /** The rows of a table with their times. */
  tableStore<K, V>(name: string, partition = 0): TimestampedKeyValueStore<K, V> {
    return this.#stores.ofKind<K, V, 'timestamped'>('timestamped', name, partition)
  }

  /** A store of your own without times, as `keyValueStore` declares it. */
  keyValueStore<K, V>(name: string, partition = 0): KeyValueStore<K, V> {
    return this.#stores.ofKind<K, V, 'keyValue'>('keyValue', name, partition)
  }

  /** Every version of each row, as long as it is kept. */
  versionedStore<K, V>(name: string, partition = 0): VersionedStore<K, V> {
    return this.#stores.ofKind<K, V, 'versioned'>('versioned', name, partition)
  }

  /**
   * The windows of each key.
   *
   * @example
   * driver.windowStore<string, number>('orders-by-minute').fetch('ada', 0)?.value
   */
  windowStore<K, V>(name: string, partition = 0): WindowStore<K, V> {
    return this.#stores.ofKind<K, V, 'window'>('window', name, partition)
  }

  /** The sessions of each key. */
  sessionStore<K, V>(name: string, partition = 0): SessionStore<K, V> {
    return this.#stores.ofKind<K, V, 'session'>('session', name, partition)
  }

  /** Keys and values of a store over all partitions; times are left out. Windows and sessions have windowed keys. */
  rows<K = unknown, V = unknown>(name: string): readonly (readonly [K, V])[] {
    return this.#stores.rows(name) as readonly (readonly [K, V])[]
  }

  /** How many records were dropped on purpose, by reason. */
  dropped(): Readonly<Partial<Record<DropReason, number>>> {
    const counts = { ...this.#leftOut }
    for (const { reason } of this.#drops) counts[reason] = (counts[reason] ?? 0) + 1
    return counts
  }

  /** Every record that was dropped on purpose, with the node that did; those left out after a failure are not here. */
  drops(): readonly TestDrop[] {
    return this.#drops
  }

  /** The names of all topics that hold a record, internal ones included. */
  topics(): readonly string[] {
    return this.#topics.names()
  }

  /** Processors are closed; what was written and stored can still be read. */
  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    for (const task of this.#tasks()) task.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #application(topology: Topology): TestApplication {
    const place = (task: string): { topology: string; task: string } => ({ topology: topology.name, task })
    return new TestApplication(topology, {
      clock: this.clock,
      output: this.#output,
      changelog: (topic, partition) => ({
        append: (_store, key, value, timestamp, headers = []) => {
          this.#topics.append(topic, partition, { key, value, timestamp, headers })
        },
      }),
      dropped: (task, reason, node, record) => {
        this.#drops.push({ reason, topology: topology.name, node, record })
        this.#trace.dropped(place(task), reason, node, record)
      },
      partitionsOf: (topic) => this.#partitionsOf(topic),
      idleAdvanceMs: this.#options.idleAdvanceMs,
      maxTimestampAheadMs: this.#options.maxTimestampAheadMs,
      maxRequestSize: this.#options.maxRequestSize,
      withoutRecordCache: this.#withoutRecordCache,
      deadLetterTopic: this.#options.deadLetterTopic,
      onFailure: (task, failure, record) => {
        this.#trace.failed(place(task), failure, record)
        return this.#options.onFailure?.(failure) ?? this.#decide(failure, record)
      },
      watcherFor: (task) => this.#trace.watcherFor(place(task)),
      waiting: (task, queue) => this.#waiting.add({ task, queue }),
      requestCommit: () => {
        this.#commitRequested = true
      },
    })
  }

  #handlerFor({
    policies,
    onFailedRecord,
    deadLetterTopic = defaultDeadLetterTopic,
  }: TestDriverOptions): ReturnType<typeof handleByPolicy> {
    return handleByPolicy(
      {
        deserializationFailure: 'fail',
        processingFailure: 'fail',
        productionFailure: 'fail',
        ...policies,
        deadLetterTopic,
      },
      {
        deadLetter: (row) => this.#deadLetter(deadLetterTopic, row),
        leftOut: (failure) => {
          const reason = leftOutReason(failure)
          this.#leftOut[reason] = (this.#leftOut[reason] ?? 0) + 1
        },
      },
      onFailedRecord,
    )
  }

  #explained(error: unknown): Explanation {
    const roots = this.#trace.finish()
    if (error !== undefined && !isFault(error)) throw error
    const topologies = this.#applications.map(({ topology }) => topology)
    const nodes = (name: string, node: string): ReturnType<typeof nodeNamed> => {
      const topology = topologies.find((each) => each.name === name)
      return topology === undefined ? undefined : nodeNamed(topology, node)
    }
    return new Explanation(roots, nodes, error)
  }

  #pipe(
    topic: string,
    key: Bytes | null,
    value: Bytes | null,
    options: PipeOptions,
    said: { readonly key: unknown; readonly value: unknown },
  ): void {
    this.#refuseClosed()
    checkPipeOptions(topic, options, this.#partitionsOf(topic), this.#known.mayLackTime(topic))
    const { partition = this.#partitionFor(topic, key), timestamp = this.clock.now(), headers = [] } = options
    this.#write(topic, partition, { key, value, timestamp, headers }, said)
  }

  #refuseClosed(): void {
    if (this.#state === 'closed') throw driverClosed()
  }

  #deadLetter(topic: string, row: RecordRow): void {
    this.#write(topic, this.#partitionFor(topic, row.key), { ...row, headers: row.headers ?? [] }, row)
  }

  /** `said` is the record before it became bytes. */
  #write(
    topic: string,
    partition: number,
    record: Omit<StoredRecord, 'offset' | 'partition'>,
    said: { readonly key: unknown; readonly value: unknown },
  ): void {
    const stored = this.#topics.append(topic, partition, record)
    const { offset } = stored
    const { key, value } = said
    this.#trace.wrote({ topic, partition, offset }, { key, value, timestamp: record.timestamp })
    for (const application of this.#applications) application.deliver(topic, stored)
  }

  readonly #output: Output = {
    send: (topic: string, target: SinkTarget, record: AnyRecord): void => {
      const chosen = chosenPartitions(target, record, topic, this.#partitionsOf(topic))
      if (Array.isArray(chosen) && chosen.length === 0) return target.dropped(record)
      const key = keyBytesOf(record, target.key as Serializer<unknown>, topic)
      const value = valueBytesOf(record, target.value as Serializer<unknown>, topic)
      const { timestamp, headers } = record
      const sink = this.#sink(target.node, topic)
      const written = valueAtSink(sink, value)
      const said = sink === undefined || written === value ? record : { key: record.key, value: written }
      const bytes = (key?.length ?? 0) + (value?.length ?? 0) + sizeOfHeaders(headers)
      for (const partition of [chosen ?? this.#partitionFor(topic, key)].flat()) {
        refuseTooLarge(bytes, this.#options.maxRequestSize ?? defaultMaxRequestSize, { topic, partition })
        this.#write(topic, partition, { key, value, timestamp, headers }, said)
      }
    },
  }

  #sink(name: string, topic: string): NodeOf<'sink'> | undefined {
    for (const { topology } of this.#applications) {
      const node = nodeNamed(topology, name)
      if (node?.kind === 'sink' && typeof node.topic !== 'function' && node.topic.name === topic) return node
    }
    return undefined
  }

  /** Processes whatever waits, smallest timestamp first over all tasks, and commits after each record. */
  #run(): void {
    for (let task = this.#processNext(); task !== undefined; task = this.#processNext())
      if (this.#options.commit !== 'manual') task.prepareCommit()
      else this.#commitIfRequested()
  }

  /** The same with one commit at the end. */
  #runAsOne(): void {
    while (this.#processNext() !== undefined) this.#commitIfRequested()
    this.#settle()
  }

  /** What was done outside a record's turn goes its way. */
  #settle(): void {
    this.#run()
    this.#commitIfRequested()
    if (this.#options.commit === 'manual') return
    this.#commitAll()
    this.#run()
  }

  #commitIfRequested(): void {
    if (!this.#commitRequested) return
    this.#commitRequested = false
    this.#commitAll()
  }

  /** Does the next piece of work; the task that did it, or undefined where none waits. */
  #processNext(): Task | undefined {
    const working = this.#tasks().find((task) => task.queued === 0 && task.isReady)
    if (working !== undefined) {
      working.process(1)
      return working
    }
    return this.#waiting.processNext()
  }

  #commitAll(): void {
    for (const task of this.#tasks()) task.prepareCommit()
  }

  #tasks(): readonly Task[] {
    return this.#applications.flatMap(({ tasks }) => tasks)
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

const topologiesKind = { ...topologyKind, needs: 'topologies' }

const driverClosed = (): Fault =>
  new Fault({
    code: 'TEST_DRIVER_CLOSED',
    actor: 'author',
    message: 'the test driver is closed: no record would be processed',
    remedy: 'close it at the end of the test, or make another one',
  })

const defaultDeadLetterTopic = 'dead-letters'

/** Internal topics are called after their topology, so two of one name would write into each other's. */
const refuseSharedNames = (topologies: readonly Topology[]): void => {
  const names = topologies.map(({ name }) => name)
  const shared = names.find((name, index) => names.indexOf(name) < index)
  if (shared === undefined) return
  throw new Fault({
    code: 'TOPOLOGY_NAME_TAKEN',
    actor: 'author',
    message: `several topologies of this driver are called '${shared}'`,
    remedy: 'give each a name of its own: it is the application id, and part of the names of internal topics',
  })
}
