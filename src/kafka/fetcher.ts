import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { RecordColumns } from '../topic/record-columns.ts'
import type { BrokerMetadata, Cluster } from './cluster.ts'
import type { FetchRequest, FetchResponse, FetchedPartition } from './fetch/fetch-codec.ts'
import { fetchApi } from './fetch/fetch-codec.ts'
import type { IsolationLevel, OffsetSpec } from './list-offsets.ts'
import { isolationCode, listOffsets } from './list-offsets.ts'
import {
  errorName,
  isRetriable,
  isRetriableFault,
  isStaleMetadata,
  protocolFault,
} from './protocol-errors.ts'
import { readRecords } from './record-batch/read-records.ts'
import type { TopicPartition } from './topic-partition.ts'
import { byTopic, partitionName } from './topic-partition.ts'
import type { Lane, LaneKind } from './transport.ts'

/**
 * Fetches assigned partitions ahead of their reader, bounded by bytes.
 *
 * - `assign` (all), `add` and `remove` (some) say what to read; each partition's state is tagged with the generation
 *   it came with, and a response that arrives after the partition was given up is dropped.
 * - `poll` hands over what has arrived, or waits; `wakeup` ends a wait.
 * - A partition is in one request at a time. A broker gets at most two requests at once, each over a connection of its
 *   own: a partition that is resumed need not wait for the long poll of idle ones to end.
 */
export interface FetcherOptions {
  readonly cluster: Cluster
  readonly isolation?: IsolationLevel
  /** Where to go when a partition has no position, or the log no longer (or not yet) has it. */
  readonly offsetReset?: 'earliest' | 'latest' | 'none'
  /** Distinguishes the connections of several fetchers over one transport. */
  readonly name?: string
  readonly maxWaitMs?: number
  readonly minBytes?: number
  /** The most that one response may bring, a single larger batch excepted. */
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  /** What may wait for `poll`; beyond it nothing more is fetched. */
  readonly maxBufferedBytes?: number
  readonly checkCrcs?: boolean
  /** How long a partition may be missing or without leader before `poll` rejects. */
  readonly missingTimeoutMs?: number
  /** Told of faults that are tried again. */
  readonly onRetry?: (fault: Fault) => void
}

export interface FetchPosition extends TopicPartition {
  /** The next offset to read; where it is left out, `offsetReset` decides. */
  readonly offset?: number | 'earliest' | 'latest' | undefined
}

export interface FetchedBatch extends TopicPartition {
  readonly generation: number
  /** May have no rows: then only markers or aborted records lay before `nextOffset`. */
  readonly columns: RecordColumns
  readonly nextOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

interface PartitionState extends TopicPartition {
  readonly generation: number
  position: number | undefined
  readonly startAt: 'earliest' | 'latest' | undefined
  paused: boolean
  inFlight: boolean
  bufferedBytes: number
  /** The end that readers of this isolation level can reach; undefined until the first response. */
  endOffset: number | undefined
  /** Not asked for again before this time. */
  notBeforeMs: number
  missingSinceMs: number | undefined
  lastServed: number
}

interface ReadyBatch {
  readonly state: PartitionState
  readonly batch: FetchedBatch
  readonly sizeInBytes: number
}

const retryPauseMs = 100

export class Fetcher {
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #isolation: IsolationLevel
  readonly #options: Required<Omit<FetcherOptions, 'cluster' | 'isolation' | 'onRetry' | 'name'>>
  readonly #onRetry: ((fault: Fault) => void) | undefined
  readonly #lanes: readonly Lane[]
  readonly #partitions = new Map<string, PartitionState>()
  readonly #busyLanes = new Set<string>()
  readonly #abort = new AbortController()
  #ready: ReadyBatch[] = []
  #bufferedBytes = 0
  #served = 0
  #generation = 0
  #fault: unknown
  #wake: (() => void) | undefined
  #woken = false
  #resolving = false

  constructor(options: FetcherOptions) {
    this.#cluster = options.cluster
    this.#clock = options.cluster.clock
    this.#isolation = options.isolation ?? 'read_uncommitted'
    this.#onRetry = options.onRetry
    this.#options = {
      offsetReset: options.offsetReset ?? 'none',
      maxWaitMs: options.maxWaitMs ?? 500,
      minBytes: options.minBytes ?? 1,
      maxBytes: options.maxBytes ?? 1_048_576,
      partitionMaxBytes: options.partitionMaxBytes ?? 1_048_576,
      maxBufferedBytes: options.maxBufferedBytes ?? 4_194_304,
      checkCrcs: options.checkCrcs ?? false,
      missingTimeoutMs: options.missingTimeoutMs ?? 30_000,
    }
    const lane: LaneKind = 'fetch'
    this.#lanes = [`${lane}:${options.name ?? 'main'}`, `${lane}:${options.name ?? 'main'}-2`]
  }

  /** Reads exactly these partitions from now on; what was fetched of earlier assignments is dropped. */
  assign(positions: readonly FetchPosition[], generation: number = this.#generation + 1): void {
    this.#partitions.clear()
    this.#dropReady(() => true)
    this.add(positions, generation)
  }

  /** Reads these partitions too. One that is read already starts anew at its position. */
  add(positions: readonly FetchPosition[], generation: number = this.#generation): void {
    this.#generation = generation
    for (const { topic, partition, offset } of positions) {
      this.remove([{ topic, partition }])
      this.#partitions.set(partitionName(topic, partition), {
        topic,
        partition,
        generation,
        position: typeof offset === 'number' ? offset : undefined,
        startAt: typeof offset === 'string' ? offset : undefined,
        paused: false,
        inFlight: false,
        bufferedBytes: 0,
        endOffset: undefined,
        notBeforeMs: 0,
        missingSinceMs: undefined,
        lastServed: 0,
      })
    }
    this.#pump()
  }

  /** Reads these partitions no longer; what was fetched of them is dropped. */
  remove(partitions: readonly TopicPartition[]): void {
    const gone = new Set<PartitionState>()
    for (const { topic, partition } of partitions) {
      const name = partitionName(topic, partition)
      const state = this.#partitions.get(name)
      if (state === undefined) continue
      gone.add(state)
      this.#partitions.delete(name)
    }
    if (gone.size > 0) this.#dropReady((state) => gone.has(state))
  }

  get assignment(): readonly TopicPartition[] {
    return Array.from(this.#partitions.values(), ({ topic, partition }) => ({ topic, partition }))
  }

  /** Fetches no more of a partition; what has been fetched already is still handed over. */
  pause(topic: string, partition: number): void {
    const state = this.#partitions.get(partitionName(topic, partition))
    if (state !== undefined) state.paused = true
  }

  resume(topic: string, partition: number): void {
    const state = this.#partitions.get(partitionName(topic, partition))
    if (state === undefined || !state.paused) return
    state.paused = false
    this.#pump()
  }

  /** The next offset that will be fetched; undefined where it is not known yet or the partition is not assigned. */
  position(topic: string, partition: number): number | undefined {
    return this.#partitions.get(partitionName(topic, partition))?.position
  }

  /** The readable end of a partition as of the last response. */
  endOffset(topic: string, partition: number): number | undefined {
    return this.#partitions.get(partitionName(topic, partition))?.endOffset
  }

  /** Records between what `poll` has handed over and the end; undefined before the first response. */
  lag(topic: string, partition: number): number | undefined {
    const state = this.#partitions.get(partitionName(topic, partition))
    if (state?.endOffset === undefined || state.position === undefined) return undefined
    const first = this.#ready.find((ready) => ready.state === state)?.batch
    const next = first === undefined ? state.position : (first.columns.offsets[0] ?? state.position)
    return Math.max(0, state.endOffset - next)
  }

  /** What has arrived; waits for it up to `maxWaitMs`. Rejects with what cannot be tried again. */
  async poll(maxWaitMs: number): Promise<readonly FetchedBatch[]> {
    this.#pump()
    if (this.#ready.length === 0 && this.#fault === undefined && !this.#woken && maxWaitMs > 0)
      await this.#wait(maxWaitMs)
    this.#woken = false
    if (this.#fault !== undefined) {
      const fault = this.#fault
      this.#fault = undefined
      throw fault
    }
    const ready = this.#ready
    this.#ready = []
    this.#bufferedBytes = 0
    for (const { state } of ready) state.bufferedBytes = 0
    this.#pump()
    return ready.map(({ batch }) => batch)
  }

  /** Ends the wait of `poll`, or of the next one. */
  wakeup(): void {
    this.#woken = true
    this.#wake?.()
  }

  close(): void {
    this.#abort.abort()
    this.#partitions.clear()
    this.#dropReady(() => true)
    this.wakeup()
  }

  #wait(maxWaitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel()
        this.#wake = undefined
        resolve()
      }
      const cancel = this.#clock.setTimer(finish, maxWaitMs)
      this.#wake = finish
    })
  }

  #dropReady(matches: (state: PartitionState) => boolean): void {
    this.#ready = this.#ready.filter(({ state }) => !matches(state))
    this.#bufferedBytes = this.#ready.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
  }

  #fail(fault: unknown): void {
    if (this.#abort.signal.aborted) return
    this.#fault ??= fault
    this.#wake?.()
  }

  /** Starts every request that can be started now. */
  #pump(): void {
    if (this.#abort.signal.aborted || this.#bufferedBytes >= this.#options.maxBufferedBytes) return
    const wanted = new Map<BrokerMetadata, PartitionState[]>()
    const nowMs = this.#clock.now()
    let unresolved = false
    for (const state of this.#partitions.values()) {
      if (state.paused || state.inFlight || state.notBeforeMs > nowMs) continue
      if (state.bufferedBytes > this.#options.partitionMaxBytes) continue
      const leader = this.#cluster.leaderOf(state.topic, state.partition)
      if (leader === undefined || state.position === undefined) {
        unresolved = true
        continue
      }
      const group = wanted.get(leader)
      if (group === undefined) wanted.set(leader, [state])
      else group.push(state)
    }
    for (const [leader, states] of wanted) this.#startFetch(leader, states)
    if (unresolved) void this.#resolve()
  }

  #startFetch(leader: BrokerMetadata, states: PartitionState[]): void {
    const lane = this.#lanes.find((each) => !this.#busyLanes.has(`${each} ${leader.nodeId}`))
    if (lane === undefined) return
    const name = `${lane} ${leader.nodeId}`
    this.#busyLanes.add(name)
    states.sort((left, right) => left.lastServed - right.lastServed)
    for (const state of states) state.inFlight = true
    void this.#fetch(leader, lane, states).finally(() => {
      this.#busyLanes.delete(name)
      for (const state of states) state.inFlight = false
      this.#pump()
    })
  }

  async #fetch(leader: BrokerMetadata, lane: Lane, states: readonly PartitionState[]): Promise<void> {
    try {
      const response = await this.#cluster.callBroker(leader, lane, fetchApi, this.#request(states))
      if (response.errorCode !== 0) throw protocolFault(response.errorCode, 'fetch records')
      this.#take(response, states)
    } catch (error) {
      await this.#recover(error, states)
    }
  }

  #request(states: readonly PartitionState[]): FetchRequest {
    const { maxWaitMs, minBytes, maxBytes, partitionMaxBytes } = this.#options
    const topics = Array.from(byTopic(states), ([topic, group]) => ({
      topicId: this.#cluster.known(topic)?.id ?? '',
      partitions: group.map((state) => ({
        partition: state.partition,
        leaderEpoch: this.#cluster.known(topic)?.partitions[state.partition]?.leaderEpoch ?? -1,
        fetchOffset: state.position as number,
        maxBytes: partitionMaxBytes,
      })),
    }))
    return { maxWaitMs, minBytes, maxBytes, isolationLevel: isolationCode(this.#isolation), topics }
  }

  #take(response: FetchResponse, states: readonly PartitionState[]): void {
    const asked = new Map(states.map((state) => [partitionName(state.topic, state.partition), state]))
    for (const fetched of response.partitions) {
      const topic = this.#cluster.nameOf(fetched.topicId)
      const state = topic === undefined ? undefined : asked.get(partitionName(topic, fetched.partition))
      if (state === undefined || !this.#isCurrent(state)) continue
      if (fetched.errorCode === 0) this.#takeRecords(response, fetched, state)
      else this.#partitionError(state, fetched.errorCode)
    }
    // A topic that was forgotten meanwhile has no name; its partitions are asked for again once it is known.
    if (this.#ready.length > 0) this.#wake?.()
  }

  #isCurrent(state: PartitionState): boolean {
    return this.#partitions.get(partitionName(state.topic, state.partition)) === state
  }

  #takeRecords({ body }: FetchResponse, fetched: FetchedPartition, state: PartitionState): void {
    const committed = this.#isolation === 'read_committed'
    state.missingSinceMs = undefined
    state.endOffset = committed ? fetched.lastStableOffset : fetched.highWatermark
    const fetchOffset = state.position as number
    const { columns, nextOffset } = readRecords(body, fetched.start, fetched.end, {
      fetchOffset,
      aborted: committed ? fetched.aborted : undefined,
      checkCrcs: this.#options.checkCrcs,
    })
    if (nextOffset === fetchOffset) return
    state.position = nextOffset
    state.lastServed = ++this.#served
    const sizeInBytes = fetched.end - fetched.start
    state.bufferedBytes += sizeInBytes
    this.#bufferedBytes += sizeInBytes
    const { topic, partition, generation } = state
    const { highWatermark, lastStableOffset, logStartOffset } = fetched
    const batch = {
      topic,
      partition,
      generation,
      columns,
      nextOffset,
      highWatermark,
      lastStableOffset,
      logStartOffset,
    }
    this.#ready.push({ state, batch, sizeInBytes })
  }

  #partitionError(state: PartitionState, errorCode: number): void {
    const { topic, partition } = state
    const place = { topic, partition, offset: state.position }
    if (errorName(errorCode) === 'OFFSET_OUT_OF_RANGE') {
      if (this.#options.offsetReset === 'none') this.#stop(state, outOfRange(state))
      else state.position = undefined
      return
    }
    if (!isRetriable(errorCode) && !isStaleMetadata(errorCode)) {
      this.#stop(state, protocolFault(errorCode, 'fetch records', place))
      return
    }
    if (isStaleMetadata(errorCode)) this.#cluster.invalidate(topic)
    this.#delay(state, protocolFault(errorCode, 'fetch records', place))
  }

  /** A partition that cannot be read is not asked for again until it is assigned anew. */
  #stop(state: PartitionState, fault: Fault): void {
    state.notBeforeMs = Number.POSITIVE_INFINITY
    this.#fail(fault)
  }

  /** Leaves a partition alone for a moment, or gives up where it has been missing for too long. */
  #delay(state: PartitionState, fault: Fault): void {
    const nowMs = this.#clock.now()
    state.missingSinceMs ??= nowMs
    if (nowMs - state.missingSinceMs > this.#options.missingTimeoutMs) this.#fail(fault)
    state.notBeforeMs = nowMs + retryPauseMs
    this.#onRetry?.(fault)
    this.#clock.setTimer(() => this.#pump(), retryPauseMs)
  }

  async #recover(error: unknown, states: readonly PartitionState[]): Promise<void> {
    if (this.#abort.signal.aborted) return
    if (!isRetriableFault(error)) {
      this.#fail(error)
      for (const state of states) state.notBeforeMs = Number.POSITIVE_INFINITY
      return
    }
    this.#onRetry?.(error)
    await sleep(this.#clock, retryPauseMs, this.#abort.signal)
    for (const topic of new Set(states.map((state) => state.topic))) this.#cluster.invalidate(topic)
  }

  /** Finds the leaders and the first positions that are not known. */
  async #resolve(): Promise<void> {
    if (this.#resolving) return
    this.#resolving = true
    try {
      await this.#findLeaders()
      await this.#findPositions()
    } catch (error) {
      await this.#recover(error, [])
    } finally {
      this.#resolving = false
    }
    this.#pump()
  }

  async #findLeaders(): Promise<void> {
    const topics = new Set<string>()
    for (const state of this.#partitions.values())
      if (this.#cluster.leaderOf(state.topic, state.partition) === undefined) topics.add(state.topic)
    await Promise.all(Array.from(topics, (topic) => this.#findLeadersOf(topic)))
  }

  async #findLeadersOf(topic: string): Promise<void> {
    const missing = await this.#cluster.refresh(topic).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof Fault && error.code === 'TOPIC_MISSING') return error
        throw error
      },
    )
    for (const state of this.#partitions.values())
      if (state.topic === topic && this.#cluster.leaderOf(topic, state.partition) === undefined)
        this.#delay(
          state,
          missing ?? protocolFault(5, 'fetch records', { topic, partition: state.partition }),
        )
  }

  async #findPositions(): Promise<void> {
    const nowMs = this.#clock.now()
    const lost = [...this.#partitions.values()].filter(
      (state) =>
        state.position === undefined &&
        state.notBeforeMs <= nowMs &&
        this.#cluster.leaderOf(state.topic, state.partition) !== undefined,
    )
    const queries = lost.flatMap((state) => {
      const at: OffsetSpec | 'none' = state.startAt ?? this.#options.offsetReset
      if (at !== 'none') return [{ topic: state.topic, partition: state.partition, at }]
      this.#stop(state, outOfRange(state))
      return []
    })
    if (queries.length === 0) return
    const offsets = await listOffsets(this.#cluster, queries, this.#isolation)
    for (const state of lost) {
      const found = offsets.get(partitionName(state.topic, state.partition))
      if (found !== undefined) state.position ??= found.offset
    }
  }
}

const outOfRange = ({ topic, partition, position }: PartitionState): Fault =>
  new Fault({
    code: 'OFFSET_OUT_OF_RANGE',
    actor: 'runtime',
    message:
      position === undefined
        ? 'a partition has no position to read from'
        : `the log has no offset ${position} to read from`,
    remedy: "set offsetReset to 'earliest' or 'latest', or reset the group's offsets",
    place: { topic, partition, offset: position },
  })
