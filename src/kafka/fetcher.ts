import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import type { BrokerMetadata, Cluster } from './cluster.ts'
import type { FetchRequest, FetchResponse, FetchTopic, FetchedPartition } from './fetch/fetch-codec.ts'
import { fetchApi } from './fetch/fetch-codec.ts'
import type { FetchPosition } from './fetch/fetch-position.ts'
import type { FetchedBatch } from './fetch/fetched-batch.ts'
import { PartitionState } from './fetch/partition-state.ts'
import { PositionFinder } from './fetch/position-finder.ts'
import { ReadyBatches } from './fetch/ready-batches.ts'
import type { IsolationLevel } from './list-offsets.ts'
import { isolationCode } from './list-offsets.ts'
import {
  errorName,
  isRetriable,
  isRetriableFault,
  isStaleMetadata,
  protocolFault,
} from './protocol-errors.ts'
import { BatchSlices } from './record-batch/batch-slices.ts'
import type { BatchProblem } from './record-batch/record-batch.ts'
import { scanBatches } from './record-batch/scan-batches.ts'
import type { TopicPartition } from './topic-partition.ts'
import { byTopic, partitionName } from './topic-partition.ts'
import type { Lane } from './transport.ts'

/**
 * Fetches assigned partitions ahead of their reader, bounded by bytes.
 *
 * - `assign` (all), `add` and `remove` (some) say what to read; each partition's state is tagged with the generation
 *   it came with, and a response that arrives after the partition was given up is dropped.
 * - `poll` hands over what has arrived, or waits; `wakeup` ends a wait.
 * - A partition is in one request at a time. A broker gets at most two requests at once, each over a connection of its
 *   own: a partition that is resumed need not wait for the long poll of idle ones to end.
 *
 * @example
 * const fetcher = new Fetcher({ cluster, isolation: 'read_committed', offsetReset: 'earliest' })
 * fetcher.assign([{ topic: 'orders', partition: 0, offset: 42 }])
 * for (const { columns, nextOffset } of await fetcher.poll(1_000)) console.log(columns.count, nextOffset)
 */
export interface FetcherOptions {
  readonly cluster: Cluster
  readonly isolation?: IsolationLevel
  /** Where to go when a partition has no position, or the log no longer (or not yet) has it. */
  readonly offsetReset?: OffsetResetOf | ReturnType<OffsetResetOf>
  /** Distinguishes the connections of several fetchers over one transport. */
  readonly name?: string
  readonly maxWaitMs?: number
  readonly minBytes?: number
  /** The most that one response may bring, a single larger batch excepted. */
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  /** What may be in memory, as fetched or decompressed; beyond it nothing more is fetched. */
  readonly maxBufferedBytes?: number
  /** Whether batches whose checksum is wrong are refused (`check.crcs`); defaults to true. */
  readonly checkCrcs?: boolean | undefined
  /** How long a partition may be missing or without leader before `poll` rejects. */
  readonly missingTimeoutMs?: number
  /** Called with faults that are retried. */
  readonly onRetry?: (fault: Fault) => void
  /** Called where the log does not have an offset and reading continues where `offsetReset` says. */
  readonly onReset?: (fault: Fault) => void
}

/** Where to go may differ by topic. */
type OffsetResetOf = (topic: string) => 'earliest' | 'latest' | 'none'

type Limits = Required<
  Pick<
    FetcherOptions,
    'maxWaitMs' | 'minBytes' | 'maxBytes' | 'partitionMaxBytes' | 'maxBufferedBytes' | 'missingTimeoutMs'
  >
>

const defaults: Limits = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 1_048_576,
  partitionMaxBytes: 1_048_576,
  maxBufferedBytes: 4_194_304,
  missingTimeoutMs: 30_000,
}

const retryPauseMs = 100
/** A record of a compressed batch may have as many bytes when it is decompressed, or as many as may be buffered. */
const minRecordBytes = 67_108_864
/** How often a batch that cannot be read is fetched before `poll` rejects. */
const readAttempts = 4
/** The most that is asked for where a batch does not come as a whole: above what a broker takes in one request. */
const maxBatchBytes = 134_217_728

export class Fetcher {
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #isolation: IsolationLevel
  readonly #checkCrcs: boolean
  readonly #limits: Limits
  readonly #onRetry: ((fault: Fault) => void) | undefined
  readonly #onReset: ((fault: Fault) => void) | undefined
  readonly #offsetResetOf: OffsetResetOf
  readonly #lanes: readonly Lane[]
  readonly #partitions = new Map<string, PartitionState>()
  readonly #busyLanes = new Set<string>()
  readonly #ready: ReadyBatches
  readonly #finder: PositionFinder
  readonly #stop = new AbortController()
  #generation = 0
  #served = 0
  #requests = 0
  #isFinding = false

  constructor({
    cluster,
    isolation = 'read_uncommitted',
    name = 'main',
    onRetry,
    onReset,
    offsetReset = 'none',
    checkCrcs = true,
    ...limits
  }: FetcherOptions) {
    this.#cluster = cluster
    this.#clock = cluster.clock
    this.#isolation = isolation
    this.#checkCrcs = checkCrcs
    this.#limits = { ...defaults, ...limits }
    this.#onRetry = onRetry
    this.#onReset = onReset
    this.#offsetResetOf = typeof offsetReset === 'function' ? offsetReset : () => offsetReset
    this.#lanes = [`fetch:${name}`, `fetch:${name}-2`]
    this.#ready = new ReadyBatches({
      clock: cluster.clock,
      maxBytes: this.#limits.maxBufferedBytes,
      onUnreadable: (state, error) => this.#giveUp(state, error),
    })
    this.#finder = new PositionFinder({
      cluster,
      isolation,
      offsetResetOf: this.#offsetResetOf,
      onMissing: (state, fault) => this.#delay(state, fault),
      onLost: (state, fault) => this.#giveUp(state, fault),
    })
  }

  /** Reads exactly these partitions from now on; what was fetched of earlier assignments is dropped. */
  assign(positions: readonly FetchPosition[], generation: number = this.#generation + 1): void {
    this.#forgetAll()
    this.add(positions, generation)
  }

  /** Reads these partitions too. One that is read already starts again at its position. */
  add(positions: readonly FetchPosition[], generation: number = this.#generation): void {
    this.#generation = generation
    this.remove(positions)
    for (const position of positions)
      this.#partitions.set(
        partitionName(position.topic, position.partition),
        new PartitionState(position, generation),
      )
    this.#pump()
  }

  /** Reads these partitions no longer; what was fetched of them is dropped. */
  remove(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const name = partitionName(topic, partition)
      this.#partitions.get(name)?.giveUp()
      this.#partitions.delete(name)
    }
    this.#ready.drop((state) => state.isGivenUp)
  }

  get assignment(): readonly TopicPartition[] {
    return Array.from(this.#partitions.values(), ({ topic, partition }) => ({ topic, partition }))
  }

  /** Fetches and hands over no more of a partition. */
  pause(topic: string, partition: number): void {
    const state = this.#state(topic, partition)
    if (state !== undefined) state.isPaused = true
  }

  resume(topic: string, partition: number): void {
    const state = this.#state(topic, partition)
    if (state === undefined || !state.isPaused) return
    state.isPaused = false
    this.#ready.resumed()
    this.#pump()
  }

  /** The next offset that will be fetched; undefined where it is not known yet or the partition is not assigned. */
  position(topic: string, partition: number): number | undefined {
    return this.#state(topic, partition)?.position
  }

  /** The readable end of a partition as of the last response. */
  endOffset(topic: string, partition: number): number | undefined {
    return this.#state(topic, partition)?.endOffset
  }

  /** How many fetch requests have been sent. */
  get requests(): number {
    return this.#requests
  }

  /** The readable end of a partition as of the answer to a request, or to a later one; undefined where none has come. */
  endOffsetSince(topic: string, partition: number, request: number): number | undefined {
    const state = this.#state(topic, partition)
    return state === undefined || state.endRequest < request ? undefined : state.endOffset
  }

  /** How long a partition has been asked for without an answer; a broker that is away has none. */
  silentMs(topic: string, partition: number): number {
    const sinceMs = this.#state(topic, partition)?.unansweredSinceMs
    return sinceMs === undefined ? 0 : this.#clock.monotonicMs() - sinceMs
  }

  /** Records between what `poll` has handed over and the end; undefined before the first response. */
  lag(topic: string, partition: number): number | undefined {
    const state = this.#state(topic, partition)
    if (state?.endOffset === undefined || state.position === undefined) return undefined
    return Math.max(0, state.endOffset - (this.#ready.firstOffset(state) ?? state.position))
  }

  /** What has arrived; waits for it up to `maxWaitMs`. Rejects with what cannot be tried again. */
  async poll(maxWaitMs: number): Promise<readonly FetchedBatch[]> {
    this.#ready.handled()
    this.#pump()
    const batches = await this.#ready.take(maxWaitMs)
    this.#pump()
    return batches
  }

  /** Ends the wait of `poll`, or of the next one. */
  wakeup(): void {
    this.#ready.wakeup()
  }

  close(): void {
    this.#stop.abort()
    this.#forgetAll()
    this.wakeup()
  }

  #state(topic: string, partition: number): PartitionState | undefined {
    return this.#partitions.get(partitionName(topic, partition))
  }

  #forgetAll(): void {
    for (const state of this.#partitions.values()) state.giveUp()
    this.#partitions.clear()
    this.#ready.drop(() => true)
  }

  /** Starts every request that can be started now. */
  #pump(): void {
    if (this.#stop.signal.aborted || this.#ready.isFull) return
    const nowMs = this.#clock.monotonicMs()
    const wanted = new Map<BrokerMetadata, PartitionState[]>()
    const unknown: PartitionState[] = []
    for (const state of this.#partitions.values()) {
      if (!state.mayBeAsked(nowMs) || state.bufferedBytes > this.#limits.partitionMaxBytes) continue
      if (!this.#isSameTopic(state)) continue
      state.unansweredSinceMs ??= nowMs
      const leader = this.#cluster.leaderOf(state.topic, state.partition)
      if (leader === undefined || state.position === undefined) unknown.push(state)
      else if (wanted.get(leader)?.push(state) === undefined) wanted.set(leader, [state])
    }
    for (const [leader, states] of wanted) this.#startFetch(leader, states)
    if (unknown.length > 0 && !this.#isFinding) void this.#find(unknown)
  }

  /** A topic that was created again has offsets of its own, even where it has one of the same number. */
  #isSameTopic(state: PartitionState): boolean {
    const id = this.#cluster.known(state.topic)?.id
    if (id === undefined || state.topicId === id) return true
    const fault = state.movedTo(id, this.#offsetResetOf(state.topic))
    if (fault === undefined) return true
    if (fault.actor === 'retry') this.#onReset?.(fault)
    else this.#giveUp(state, fault)
    return fault.actor === 'retry'
  }

  #startFetch(leader: BrokerMetadata, states: PartitionState[]): void {
    const free = this.#lanes.filter((each) => !this.#busyLanes.has(`${each} ${leader.nodeId}`))
    // What came damaged is asked for over another connection.
    const damaged = states.find(({ failedReads }) => failedReads > 0)?.lane
    const lane = free.find((each) => each !== damaged) ?? free[0]
    if (lane === undefined) return
    states.sort((left, right) => left.lastServed - right.lastServed)
    void this.#fetch(leader, lane, states)
  }

  async #fetch(leader: BrokerMetadata, lane: Lane, states: readonly PartitionState[]): Promise<void> {
    const name = `${lane} ${leader.nodeId}`
    this.#busyLanes.add(name)
    const request = ++this.#requests
    for (const state of states) {
      state.isInFlight = true
      state.lane = lane
    }
    try {
      const response = await this.#cluster.callBroker(leader, lane, fetchApi, this.#request(states))
      if (response.errorCode !== 0) throw protocolFault(response.errorCode, 'fetch records')
      this.#take(response, states, request)
    } catch (error) {
      await this.#recover(error, states)
    }
    this.#busyLanes.delete(name)
    for (const state of states) state.isInFlight = false
    this.#pump()
  }

  #request(states: readonly PartitionState[]): FetchRequest {
    const { maxWaitMs, minBytes, partitionMaxBytes } = this.#limits
    let { maxBytes } = this.#limits
    for (const { batchBytes } of states) if (batchBytes > maxBytes) maxBytes = batchBytes
    const topics: FetchTopic[] = []
    for (const [topic, group] of byTopic(states)) {
      const known = this.#cluster.known(topic)
      const partitions = group.map(({ partition, position, batchBytes }) => ({
        partition,
        leaderEpoch: known?.partitions[partition]?.leaderEpoch ?? -1,
        fetchOffset: position as number,
        maxBytes: Math.max(partitionMaxBytes, batchBytes),
      }))
      topics.push({ topicId: known?.id ?? '', partitions })
    }
    return { maxWaitMs, minBytes, maxBytes, isolationLevel: isolationCode(this.#isolation), topics }
  }

  /** A topic that was forgotten meanwhile has no name here; its partitions are asked for again once it is known. */
  #take(response: FetchResponse, asked: readonly PartitionState[], request: number): void {
    const states = new Map(asked.map((state) => [partitionName(state.topic, state.partition), state]))
    for (const fetched of response.partitions) {
      const topic = this.#cluster.nameOf(fetched.topicId)
      const state = topic === undefined ? undefined : states.get(partitionName(topic, fetched.partition))
      if (state === undefined || state.isGivenUp) continue
      if (fetched.errorCode !== 0) this.#partitionError(state, fetched.errorCode)
      else {
        state.endRequest = request
        state.unansweredSinceMs = undefined
        this.#tryToTake(response, fetched, state)
      }
    }
  }

  #tryToTake(response: FetchResponse, fetched: FetchedPartition, state: PartitionState): void {
    try {
      this.#takeRecords(response, fetched, state)
    } catch (error) {
      this.#giveUp(state, error)
    }
  }

  #takeRecords({ body }: FetchResponse, fetched: FetchedPartition, state: PartitionState): void {
    const { topicId, start, end, highWatermark, lastStableOffset, logStartOffset } = fetched
    const committed = this.#isolation === 'read_committed'
    const fetchOffset = state.position as number
    state.missingSinceMs = undefined
    state.endOffset = committed ? lastStableOffset : highWatermark
    const { topic, partition, generation } = state
    const found = scanBatches(body, start, end, {
      topic,
      partition,
      fetchOffset,
      aborted: committed ? fetched.aborted : undefined,
      checkCrcs: this.#checkCrcs,
    })
    if (found.nextOffset === fetchOffset) {
      if (found.problem !== undefined) this.#readAgain(state, found.problem)
      return
    }
    state.movedBy(found.nextOffset)
    state.lastServed = ++this.#served
    const maxRecordBytes = Math.max(minRecordBytes, this.#limits.maxBufferedBytes)
    this.#ready.add({
      state,
      place: { topic, topicId, partition, generation, highWatermark, lastStableOffset, logStartOffset },
      slices: new BatchSlices(found, fetchOffset, maxRecordBytes),
      sizeInBytes: end - start,
    })
  }

  /** Bits flip on the way, and not every broker returns a large batch as a whole unless it is asked for so many bytes. */
  #readAgain(state: PartitionState, problem: BatchProblem): void {
    const isCut = problem.kind === 'cut'
    if (isCut) state.batchBytes = Math.min(problem.sizeInBytes, maxBatchBytes)
    const fault = isCut ? state.cutBatch(problem.sizeInBytes) : problem.fault
    if (++state.failedReads >= readAttempts) this.#giveUp(state, fault)
    else this.#pause(state, fault)
  }

  #partitionError(state: PartitionState, errorCode: number): void {
    const { topic, partition, position } = state
    if (errorName(errorCode) === 'OFFSET_OUT_OF_RANGE') {
      const offsetReset = this.#offsetResetOf(topic)
      if (offsetReset === 'none') this.#giveUp(state, state.outOfRange())
      else {
        this.#onReset?.(state.resetTo(offsetReset))
        state.position = undefined
      }
      return
    }
    const fault = protocolFault(errorCode, 'fetch records', { topic, partition, offset: position })
    if (isStaleMetadata(errorCode)) this.#cluster.invalidate(topic)
    if (isStaleMetadata(errorCode) || isRetriable(errorCode)) this.#delay(state, fault)
    else this.#giveUp(state, fault)
  }

  /** A partition that cannot be read is not asked for again until it is assigned again. */
  #giveUp(state: PartitionState, fault: unknown): void {
    state.notBeforeMs = Number.POSITIVE_INFINITY
    if (!this.#stop.signal.aborted && !state.isGivenUp) this.#ready.fail(fault)
  }

  /** Leaves a partition alone for a moment, or gives up where it has been missing for too long. */
  #delay(state: PartitionState, fault: Fault): void {
    const nowMs = this.#clock.monotonicMs()
    state.missingSinceMs ??= nowMs
    if (nowMs - state.missingSinceMs > this.#limits.missingTimeoutMs) {
      this.#giveUp(state, fault)
      return
    }
    this.#pause(state, fault)
  }

  #pause(state: PartitionState, fault: Fault): void {
    state.notBeforeMs = this.#clock.monotonicMs() + retryPauseMs
    this.#onRetry?.(fault)
    this.#clock.setTimer(() => this.#pump(), retryPauseMs)
  }

  async #recover(error: unknown, states: readonly PartitionState[]): Promise<void> {
    if (this.#stop.signal.aborted) return
    if (!isRetriableFault(error)) {
      for (const state of states) this.#giveUp(state, error)
      return
    }
    this.#onRetry?.(error)
    await sleep(this.#clock, retryPauseMs, this.#stop.signal)
    for (const { topic } of states) this.#cluster.invalidate(topic)
  }

  async #find(states: readonly PartitionState[]): Promise<void> {
    this.#isFinding = true
    try {
      await this.#finder.find(states)
    } catch (error) {
      await this.#recover(error, states)
    }
    this.#isFinding = false
    this.#pump()
  }
}
