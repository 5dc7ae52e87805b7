import { Fault } from '../base/fault.ts'
import type { TimeSlice } from '../base/time-slice.ts'
import type { ChangelogSink, StateStore } from '../state/store.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import { refuseNull } from '../topic/refuse-null.ts'
import type { AnyRecord, NodeOf, TopologyNode } from '../topology/node.ts'
import type { SubTopology } from '../topology/sub-topologies.ts'
import type { Topology } from '../topology/topology.ts'
import { IdleAdvance } from './idle-advance.ts'
import { NodeContext } from './node-context.ts'
import type { BeforeCommit } from './pending-updates.ts'
import type { ScheduledPunctuator } from './punctuation-queue.ts'
import type { NodeTime } from './node-times.ts'
import { NodeTimes } from './node-times.ts'
import { Pace } from './pace.ts'
import type { TaskFailure, TaskHost } from './ports.ts'
import type { QueueSource } from './record-queue.ts'
import { RecordQueue } from './record-queue.ts'
import type { Wiring } from './wire.ts'
import { wire } from './wire.ts'

/** What to do with a record that failed: stop, or leave it out and go on. The runtime decides, by its policies. */
export type FailureDecision = 'fail' | 'continue'

export interface TaskOptions {
  readonly topology: Topology
  readonly subTopology: SubTopology
  readonly partition: number
  readonly host: TaskHost
  /** Decides what a failed record means; a dead letter is written before it answers. Defaults to `fail` for all. */
  readonly onFailure?: (failure: TaskFailure, record: AnyRecord | undefined) => FailureDecision
  /** After how long without a record stream time follows the clock; defaults to never. */
  readonly idleAdvanceMs?: number | undefined
  /** How far the time of an input's record may be ahead of the clock; any time by default. */
  readonly maxTimestampAheadMs?: number | undefined
}

/**
 * Runs one sub-topology for one partition. It knows no Kafka: records are pushed into its queues, what it writes goes to
 * the host, and the host says when to process, when time has passed and when to get ready for a commit.
 *
 * Of the heads of its queues it takes the one with the smallest timestamp, as Kafka Streams' `PartitionGroup`.
 */
export class Task {
  /** `<sub-topology>_<partition>`. */
  readonly id: string
  readonly partition: number
  readonly stores: ReadonlyMap<string, StateStore>
  readonly queues: readonly RecordQueue[]
  readonly #context: NodeContext
  readonly #wiring: Wiring
  readonly #onFailure: NonNullable<TaskOptions['onFailure']>
  readonly #queuesByTopic = new Map<string, RecordQueue>()
  readonly #idle: IdleAdvance | undefined
  readonly #maxTimestampAheadMs: number | undefined
  /** The time of day when wall-clock punctuators were last looked at. */
  #wallClockMs = -Infinity
  /** Of records, and of punctuators and coalesced updates. */
  readonly #pace = new Pace()
  readonly #otherPace = new Pace()
  readonly #times: NodeTimes
  #measuresUntilMs = -Infinity
  /** How many of the emitters before a commit are done. */
  #emitted = 0
  /** Stream-time punctuators are due that a slice left; they run before the next record. */
  #hasPunctuationLeft = false
  #closed = false

  constructor(options: TaskOptions) {
    const { topology, subTopology, partition, host, onFailure, idleAdvanceMs } = options
    this.#maxTimestampAheadMs = options.maxTimestampAheadMs
    this.#idle = idleAdvanceMs === undefined ? undefined : new IdleAdvance(idleAdvanceMs)
    this.id = `${subTopology.index}_${partition}`
    this.partition = partition
    this.#onFailure = onFailure ?? (() => 'fail')
    this.stores = new Map(
      subTopology.stores.map((definition) => [
        definition.name,
        // What a topic of the world holds already is not written again.
        host.openStore(definition, definition.changelogTopic === undefined ? host.changelog : noChangelog),
      ]),
    )
    this.#context = new NodeContext(topology, this.id, partition, host, this.stores)
    this.#times = new NodeTimes(host.clock)
    this.#wiring = wire(subTopology, this.#context)
    this.queues = sourcesOf(subTopology, partition, host.applicationId).map(
      (source) => new RecordQueue(source, host.clock, options.maxTimestampAheadMs),
    )
    for (const queue of this.queues) this.#queuesByTopic.set(queue.source.topic, queue)
  }

  /** The largest timestamp taken up so far; -1 before the first record. */
  get streamTimeMs(): number {
    return this.#context.streamTimeMs
  }

  /**
   * Numbers that nodes keep beside the offsets, by store: when windows were emitted last. They belong to the task; whatever
   * commits writes them into the offset metadata, and sets them again before the first record.
   */
  get processorMetadata(): Map<string, number> {
    return this.#context.processorMetadata
  }

  /** How many records wait. */
  get queued(): number {
    return this.queues.reduce((sum, { size }) => sum + size, 0)
  }

  queue(topic: string): RecordQueue | undefined {
    return this.#queuesByTopic.get(topic)
  }

  /** Adds a topic that a pattern has newly matched. */
  addTopic(source: QueueSource): RecordQueue {
    const queue = new RecordQueue(source, this.#context.host.clock, this.#maxTimestampAheadMs)
    this.#queuesByTopic.set(source.topic, queue)
    ;(this.queues as RecordQueue[]).push(queue)
    return queue
  }

  push(topic: string, columns: RecordColumns, nextOffset?: number): void {
    const queue = this.#queuesByTopic.get(topic)
    if (queue !== undefined) {
      queue.push(columns, nextOffset)
      return
    }
    throw new Fault({
      code: 'TASK_TOPIC_UNKNOWN',
      actor: 'runtime',
      message: `task ${this.id} does not read this topic`,
      place: { topic, partition: this.partition },
    })
  }

  /** True where `process` would find something to do. */
  get isReady(): boolean {
    const { asyncWork, failedOutsideTurn } = this.#context
    if (failedOutsideTurn !== undefined || this.#hasPunctuationLeft) return true
    return asyncWork.hasFinished || (!asyncWork.isFull && this.queued > 0 && !this.#lacksInput())
  }

  /** True while asynchronous work has as many records in hand as it may. */
  get isFull(): boolean {
    return this.#context.asyncWork.isFull
  }

  /** True while asynchronous work goes on that does not merely wait for the clock. */
  get isWorking(): boolean {
    const { inFlight, sleeping } = this.#context.asyncWork
    return inFlight > sleeping
  }

  /**
   * The offset a commit may name for a topic: after the last record taken, but not after one whose asynchronous work is
   * still going on.
   */
  committableOffset(topic: string): number {
    const nextOffset = this.#queuesByTopic.get(topic)?.nextOffset ?? 0
    return Math.min(nextOffset, this.#context.asyncWork.oldestOffset(topic) ?? nextOffset)
  }

  /** Resolves at the next result of asynchronous work (`process` hands it on); undefined where none is going on. */
  pendingAsync(): Promise<void> | undefined {
    return this.#context.asyncWork.progress()
  }

  /** Waits for all asynchronous work and hands its results on: what a commit of everything taken has to wait for. */
  async drain(slice?: TimeSlice): Promise<void> {
    for (let work = this.pendingAsync(); work !== undefined; work = this.pendingAsync()) {
      await work
      while (slice?.check() === true) await slice.next()
      this.#deliverFinished(Infinity, slice)
    }
  }

  /**
   * Moves stream time on although no record came, so that windows close and punctuators run while an input is idle.
   * It never goes back.
   */
  advanceStreamTime(streamTimeMs: number, slice?: TimeSlice): void {
    const context = this.#context
    if (streamTimeMs <= context.streamTimeMs) return
    context.streamTimeMs = streamTimeMs
    for (const advance of context.onStreamTime) this.#turn(undefined, () => advance(streamTimeMs))
    this.#punctuate('streamTime', streamTimeMs, slice)
  }

  /**
   * Hands results of asynchronous work on, then processes records, up to `limit` in all and until `slice` is over; returns
   * how many it did. It takes no records while asynchronous work has as many in hand as it may. The first record is that
   * of `first`, where the caller has chosen a queue among several tasks.
   */
  process(limit: number, slice?: TimeSlice, first?: RecordQueue): number {
    const { asyncWork } = this.#context
    this.#failIfOutsideTurn()
    if (slice !== undefined) this.#begin(this.#pace, slice)
    if (this.#hasPunctuationLeft) this.#punctuate('streamTime', this.streamTimeMs, slice)
    if (this.#hasPunctuationLeft) return 0
    let done = asyncWork.hasFinished ? this.#deliverFinished(limit, slice) : 0
    if (slice?.isOver === true || this.#lacksInput()) return done
    while (done < limit && !asyncWork.isFull) {
      const queue = (done === 0 ? first : undefined) ?? this.#nextQueue()
      if (queue === undefined) break
      this.#processOne(queue, slice)
      done++
      if (slice !== undefined && this.#pace.passed() && this.#isOver(this.#pace, slice)) break
      if (queue.size === 0 && this.#lacksInput()) break
    }
    if (slice !== undefined && this.#pace.hasUnread) this.#isOver(this.#pace, slice)
    return done
  }

  /** The input of the record that `process` takes next; undefined where it would take none. */
  get nextInput(): Pick<QueueSource, 'topic' | 'partition'> | undefined {
    const { asyncWork } = this.#context
    if (asyncWork.hasFinished || asyncWork.isFull || this.#lacksInput()) return undefined
    return this.#nextQueue()?.source
  }

  /** Takes the next record, which fails with this error instead of being processed; returns how many that were. */
  failNext(error: Fault): number {
    const queue = this.#nextQueue()
    if (queue === undefined) return 0
    const record = queue.take()
    this.#turn(record, () => this.#context.fail(queue.source.node, error))
    return 1
  }

  /**
   * Does what is due by the clock: punctuators, and stream time while input is idle. Stops where `slice` is over; punctuators
   * that are left stay due. Returns how much it did.
   */
  punctuateWallClock(slice?: TimeSlice): number {
    const advanced = this.#idle !== undefined && this.#advanceIdle(this.#idle, slice) ? 1 : 0
    if (this.nextWallClockDueMs === Infinity) return advanced
    const nowMs = this.#context.host.clock.now()
    if (nowMs < this.#wallClockMs) this.#context.punctuators.wallClock.steppedBack(nowMs)
    this.#wallClockMs = nowMs
    return advanced + this.#punctuate('wallClock', nowMs, slice)
  }

  /** When the next wall-clock punctuator falls due; Infinity where there is none. */
  get nextWallClockDueMs(): number {
    return this.#context.punctuators.wallClock.nextDueMs
  }

  /** True where time alone may bring work. */
  get hasWallClockPunctuators(): boolean {
    return this.#idle !== undefined || this.nextWallClockDueMs < Infinity
  }

  /**
   * Emits coalesced updates and writes the changes of every store to its changelog; the next step is the commit. Returns
   * false where `slice` is over before: then it is called again, and nothing else is done with the task in between.
   */
  prepareCommit(slice?: TimeSlice): boolean {
    this.#failIfOutsideTurn()
    const { beforeCommit } = this.#context
    if (slice !== undefined) this.#begin(this.#otherPace, slice)
    const isOver = (): boolean => slice !== undefined && this.#isOver(this.#otherPace, slice)
    while (this.#emitted < beforeCommit.length) {
      const emit = beforeCommit[this.#emitted] as BeforeCommit
      let isDone = false
      this.#turn(undefined, () => (isDone = emit(isOver)))
      if (isDone) this.#emitted++
      else if (slice?.isOver === true) return false
    }
    this.#emitted = 0
    for (const store of this.stores.values()) store.flush()
    return true
  }

  /** Closes all of it, also where code of the author throws meanwhile; the first error is thrown at the end. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const errors: unknown[] = []
    const attempt = (close: () => void): void => {
      try {
        close()
      } catch (error) {
        errors.push(error)
      }
    }
    for (const close of this.#context.onClose) attempt(close)
    attempt(() => this.#wiring.subscription.unsubscribe())
    for (const store of this.stores.values()) attempt(() => store.close())
    if (errors.length > 0) throw errors[0]
  }

  /** What failed in a timer or a promise fails the task as a record would. */
  #failIfOutsideTurn(): void {
    const failed = this.#context.failedOutsideTurn
    if (failed === undefined) return
    this.#context.failedOutsideTurn = undefined
    this.#turn(undefined, () => this.#context.fail(failed.node, failed.error))
  }

  /**
   * True while an input has records that have not arrived: one of them may be earlier than all that wait here, and must
   * not be late because its response was. As Kafka Streams with `max.task.idle.ms` 0, it does not wait for what is not yet
   * written.
   */
  #lacksInput(): boolean {
    const { hasMore } = this.#context.host
    if (hasMore === undefined || this.queues.length === 1) return false
    for (const { size, source } of this.queues)
      if (size === 0 && hasMore(source.topic, source.partition)) return true
    return false
  }

  #nextQueue(): RecordQueue | undefined {
    let best: RecordQueue | undefined
    for (const queue of this.queues)
      if (queue.size > 0 && (best === undefined || queue.headTimestamp < best.headTimestamp)) best = queue
    return best
  }

  #advanceIdle(idle: IdleAdvance, slice: TimeSlice | undefined): boolean {
    const { host, asyncWork, streamTimeMs } = this.#context
    if (this.queued > 0 || asyncWork.inFlight > 0) return false
    const target = idle.streamTimeAt(host.clock.monotonicMs())
    if (target === undefined || target <= streamTimeMs) return false
    this.advanceStreamTime(target, slice)
    return true
  }

  #deliverFinished(limit: number, slice: TimeSlice | undefined): number {
    const { asyncWork } = this.#context
    let done = 0
    while (done < limit) {
      const finished = asyncWork.take()
      if (finished === undefined) break
      this.#turn(finished.piece.source, finished.deliver)
      done++
      if (slice !== undefined && this.#isOver(this.#pace, slice)) break
    }
    return done
  }

  #processOne(queue: RecordQueue, slice: TimeSlice | undefined): void {
    const timestamp = queue.headTimestamp
    const failure = queue.headFailure
    const record = queue.take()
    if (timestamp < 0) {
      this.#context.drop('negativeTimestamp', queue.source.node, record)
      return
    }
    if (timestamp > this.#context.streamTimeMs) this.#context.streamTimeMs = timestamp
    this.#idle?.note(this.#context.host.clock.monotonicMs(), this.#context.streamTimeMs)
    // As `#turn`, without a function made for each record.
    this.#beginTurn(record)
    try {
      if (failure === undefined) {
        refuseNull(queue.source, record)
        this.#wiring.entries.get(queue.source.node)?.next(record)
      } else this.#context.fail(queue.source.node, failure.error)
    } catch (error) {
      this.#context.fail('task', error)
    }
    this.#endTurn(record)
    const { punctuators, streamTimeMs } = this.#context
    if (punctuators.streamTime.nextDueMs <= streamTimeMs) this.#punctuate('streamTime', streamTimeMs, slice)
  }

  #punctuate(type: ScheduledPunctuator['type'], nowMs: number, slice: TimeSlice | undefined): number {
    const queue = this.#context.punctuators[type]
    const call = (punctuator: ScheduledPunctuator): void =>
      this.#turn(undefined, () => this.#callPunctuator(punctuator, nowMs))
    if (slice === undefined) return queue.runDue(nowMs, call)
    this.#begin(this.#otherPace, slice)
    const beganMs = slice.nowMs
    const ran = queue.runDue(nowMs, call, ({ node }) => this.#isOver(this.#otherPace, slice, node))
    slice.check()
    this.#pace.exclude(slice.nowMs - beganMs)
    if (type === 'streamTime') this.#hasPunctuationLeft = queue.nextDueMs <= nowMs
    return ran
  }

  #begin(pace: Pace, slice: TimeSlice): void {
    slice.check()
    pace.begin(slice.nowMs)
    this.#measureNext(pace, slice)
  }

  /** Called after records, as `Pace` wants it, and after each step of other work, whose `node` may be known. */
  #isOver(pace: Pace, slice: TimeSlice, node?: string): boolean {
    slice.check()
    const tookMs = pace.read(slice.nowMs)
    if (tookMs >= blockedMs) {
      const longest = node === undefined ? this.#context.times?.longest : { node, durationMs: tookMs }
      this.#blocked(tookMs, longest, slice)
    }
    this.#measureNext(pace, slice)
    return slice.isOver
  }

  /** Measures the nodes where their last step was slow. */
  #measureNext({ recordMs }: Pace, { nowMs }: TimeSlice): void {
    const isSlow = recordMs >= slowRecordMs || nowMs < this.#measuresUntilMs
    this.#context.times = isSlow ? this.#times : undefined
    if (isSlow) this.#times.begin()
  }

  /** The nodes of a task that blocked once are measured for a while: the next time, the node is known. */
  #blocked(durationMs: number, longest: NodeTime | undefined, { nowMs }: TimeSlice): void {
    this.#measuresUntilMs = nowMs + measuredMs
    const { host, origin } = this.#context
    host.blocked?.({ durationMs, longest, origin })
  }

  #callPunctuator({ callback, node }: ScheduledPunctuator, nowMs: number): void {
    try {
      callback(nowMs)
    } catch (error) {
      this.#context.fail(node, error)
    }
  }

  /** Processes one record; the failure policy handles what fails inside it. */
  #turn(record: AnyRecord | undefined, work: () => void): void {
    this.#beginTurn(record)
    try {
      work()
    } catch (error) {
      this.#context.fail('task', error)
    }
    this.#endTurn(record)
  }

  #beginTurn(record: AnyRecord | undefined): void {
    const context = this.#context
    context.failure = undefined
    context.source = record
    context.inTurn = true
  }

  #endTurn(record: AnyRecord | undefined): void {
    const context = this.#context
    context.inTurn = false
    const { failure, earlierFailures } = context
    if (earlierFailures.length > 0) {
      context.earlierFailures = []
      for (const { failure: earlier, record: kept } of earlierFailures)
        if (this.#onFailure(earlier, kept) === 'fail') throw earlier.fault
    }
    if (failure !== undefined && this.#onFailure(failure, record) === 'fail') throw failure.fault
  }
}

/** A step that takes longer is reported. */
const blockedMs = 1_000

/** The nodes of a task are measured while its records take longer: what that costs is then below one percent. */
const slowRecordMs = 0.1

/** For how long nodes are measured after one of them blocked. */
const measuredMs = 60_000

const noChangelog: ChangelogSink = { append: () => {} }

const sourcesOf = (
  subTopology: SubTopology,
  partition: number,
  applicationId: string,
): readonly QueueSource[] => [
  ...subTopology.nodes.flatMap((node) => sourcesOfNode(node, partition)),
  ...subTopology.reads.map((node) => ({
    topic: `${applicationId}-${node.topic}`,
    partition,
    node: node.name,
    key: node.key,
    value: node.value,
    nullKeys: true,
    nullValues: true,
    timestampExtractor: undefined,
    // The bound is for inputs: a source may have a wider one of its own.
    maxTimestampAheadMs: Infinity,
  })),
]

const sourcesOfNode = (node: TopologyNode, partition: number): readonly QueueSource[] => {
  if (node.kind === 'tableSource') {
    // Rows may be deleted, and rows without key are counted by the table itself.
    const { name, key, value } = node.topic
    const nulls = { nullKeys: true, nullValues: true }
    return [
      {
        topic: name,
        partition,
        node: node.name,
        key,
        value,
        ...nulls,
        timestampExtractor: node.timestampExtractor,
        maxTimestampAheadMs: node.maxTimestampAheadMs,
      },
    ]
  }
  if (node.kind !== 'source' || node.topics instanceof RegExp) return []
  return node.topics.map(({ name }) => queueSourceOf(node, name, partition))
}

/** The queue of one topic of a source node; for a pattern, of a topic that was found to match it. */
export const queueSourceOf = (node: NodeOf<'source'>, topic: string, partition: number): QueueSource => ({
  topic,
  partition,
  node: node.name,
  key: node.key,
  value: node.value,
  nullKeys: node.key.nullable,
  nullValues: node.value.nullable,
  timestampExtractor: node.timestampExtractor,
  maxTimestampAheadMs: node.maxTimestampAheadMs,
})
