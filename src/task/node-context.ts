import type { Observable } from 'rxjs'
import { Fault } from '../base/fault.ts'
import { isA } from '../base/thrown.ts'
import type { StateStore, ValueAndTimestamp } from '../state/store.ts'
import type { RecordOrigin } from '../topic/record.ts'
import { DeserializationFault } from '../topic/record.ts'
import type { AnyRecord, Change } from '../topology/node.ts'
import type { Topology } from '../topology/topology.ts'
import { nodeNamed } from '../topology/topology.ts'
import { AsyncWork } from './async-work.ts'
import type { BeforeCommit, CoalescedUpdates } from './pending-updates.ts'
import type { NodeTimes } from './node-times.ts'
import type { DropReason, TaskFailure, TaskHost } from './ports.ts'
import type { ScheduledPunctuator } from './punctuation-queue.ts'
import { PunctuationQueue } from './punctuation-queue.ts'
import { faultOf, keyOf } from './record-fault.ts'
import type { Relay } from './relay.ts'
import type { Emit } from './step.ts'

/** A row of a table as its followers may look it up, kept in a store or computed from the table above. */
export interface TableView<K = unknown, V = unknown> {
  get(key: K): ValueAndTimestamp<V> | null
  /** The value that held at a time; only views over versioned stores have it. */
  getAsOf?(key: K, timestamp: number): ValueAndTimestamp<V> | null
  readonly versioned?: boolean
}

/**
 * What the interpreters of one task share: stores and table views by name, the first failure of the record in hand,
 * the drops, the punctuators and what is to be done before a commit.
 */
export class NodeContext {
  readonly topology: Topology
  readonly taskId: string
  readonly partition: number
  readonly host: TaskHost
  readonly stores: ReadonlyMap<string, StateStore>
  readonly views: Map<string, TableView> = new Map()
  readonly branches: Map<string, Observable<AnyRecord>> = new Map()
  /** Where dropped records go on, by node and reason. */
  readonly sideOutputs: Map<string, Relay> = new Map()
  readonly punctuators: Readonly<Record<ScheduledPunctuator['type'], PunctuationQueue>> = {
    streamTime: new PunctuationQueue(),
    wallClock: new PunctuationQueue(),
  }
  /** Called before every commit, in order of registration: coalesced updates are emitted here. */
  readonly beforeCommit: BeforeCommit[] = []
  /** Measures nodes while the records of the task are slow. */
  times: NodeTimes | undefined
  /** The coalesced updates of tables until then, by store. */
  readonly coalescedUpdates: Map<string, CoalescedUpdates> = new Map()
  readonly onClose: (() => void)[] = []
  /** Numbers of nodes that are committed beside the offsets, by store: which windows were emitted last. */
  readonly processorMetadata: Map<string, number> = new Map()
  readonly #streamTimes = new Map<string, Map<string, number>>()
  /** Set by the first failure of a record; the rest of its way through the topology is then skipped. */
  failure: TaskFailure | undefined
  /** Failures of records that were taken up before: what was kept of them cannot be read, or fails when it leaves. */
  earlierFailures: { readonly failure: TaskFailure; readonly record: AnyRecord | undefined }[] = []
  /** The first failure outside of a turn; the task's next step fails by it. */
  failedOutsideTurn: { readonly node: string; readonly error: unknown } | undefined
  /** The record of the task's input that the present turn is about. */
  source: AnyRecord | undefined
  /** Work that goes on between the turns (`mapAsync`). */
  readonly asyncWork: AsyncWork
  /** Called when stream time is moved on without a record; see `Task.advanceStreamTime`. */
  readonly onStreamTime: ((streamTimeMs: number) => void)[] = []
  /** The largest timestamp of any record this task has taken up; -1 before the first. */
  streamTimeMs = -1
  /** False outside a processing turn: an emission is then an error of the author. */
  inTurn = false

  constructor(
    topology: Topology,
    taskId: string,
    partition: number,
    host: TaskHost,
    stores: ReadonlyMap<string, StateStore>,
  ) {
    this.topology = topology
    this.taskId = taskId
    this.partition = partition
    this.host = host
    this.stores = stores
    this.asyncWork = new AsyncWork(() => host.workReady?.())
  }

  /** The record the task is processing was read here. */
  get origin(): RecordOrigin | undefined {
    return this.source?.origin
  }

  /** The store of that name, of the kind its node says it is. */
  store<S>(name: string): S {
    return (this.stores.get(name) ?? this.host.globalStore(name)) as unknown as S
  }

  /** The stream times of the aggregates that share a store, by node. */
  streamTimesOf(store: string): Map<string, number> {
    const known = this.#streamTimes.get(store)
    if (known !== undefined) return known
    const times = new Map<string, number>()
    this.#streamTimes.set(store, times)
    return times
  }

  view(node: string): TableView {
    const view = this.views.get(node)
    if (view !== undefined) return view
    throw new Fault({
      code: 'TABLE_VIEW_MISSING',
      actor: 'runtime',
      message: `node '${node}' is asked for rows but is not a table of this task`,
    })
  }

  /** Counts a record that a node does not take, and hands it to the side output for that reason if there is one. */
  drop(reason: DropReason, node: string, record: AnyRecord | undefined): void {
    this.dropSome(reason, node, record, 1, true)
  }

  /** The same where a record counts several times (once for each window), or was taken in part, so is not lost. */
  dropSome(
    reason: DropReason,
    node: string,
    record: AnyRecord | undefined,
    times: number,
    lost: boolean,
  ): void {
    for (let time = 0; time < times; time++) this.host.dropped(reason, node, record)
    if (lost && record !== undefined) this.sideOutputs.get(sideOutputKey(node, reason))?.next(record)
  }

  /** Notes a failure; only the first of a record counts, as everything after it is skipped. */
  fail(node: string, error: unknown): void {
    if (this.failure !== undefined) return
    this.failure = this.#failureOf(node, this.origin, this.source, error)
  }

  /**
   * Notes what failed while no record was being processed: in a timer or a promise of the author's own. Throwing there
   * would end the process past every handler, so the task fails by it at its next step, and commits nothing before.
   */
  failOutsideTurn(node: string, error: unknown): void {
    if (this.failedOutsideTurn !== undefined) return
    this.failedOutsideTurn = { node, error }
    this.host.workReady?.()
  }

  /** A record that was kept turns out to be unreadable, or fails when it leaves; the record in hand goes on without it. */
  failEarlier(node: string, record: AnyRecord, origin: RecordOrigin | undefined, error: unknown): void {
    const failure = this.#failureOf(node, origin ?? this.origin, record, error)
    this.earlierFailures.push({ failure: { ...failure, origin }, record })
  }

  /**
   * Emits what earlier records left: a closed window, a row of a suppressed table, a record without partner. What fails
   * by it fails alone: the record at hand, and others that leave with it, go on.
   */
  emitEarlier(emit: Emit, record: AnyRecord, source?: AnyRecord): void {
    emit.next(record)
    if (this.failure === undefined) return
    this.earlierFailures.push({ failure: this.failure, record: source })
    this.failure = undefined
  }

  #failureOf(
    node: string,
    origin: RecordOrigin | undefined,
    record: AnyRecord | undefined,
    error: unknown,
  ): TaskFailure {
    const stage = this.#stageOf(node, error)
    return { node, stage, origin, fault: faultOf({ node, stage, origin, key: keyOf(record), error }) }
  }

  #stageOf(node: string, error: unknown): TaskFailure['stage'] {
    if (isA(error, DeserializationFault)) return 'deserialization'
    const kind = nodeNamed(this.topology, node)?.kind
    return kind === 'sink' || kind === 'repartition' ? 'production' : 'processing'
  }
}

export const sideOutputKey = (node: string, reason: string): string => `${node}\u0000${reason}`

/** A change that is the newest of its key. */
export const changeOf = <V>(newValue: V | null, oldValue: V | null, isLatest = true): Change<V> => ({
  newValue,
  oldValue,
  isLatest,
})
