import { merge, Observable } from 'rxjs'
import type { JoinEntry, JoinWindowStore, KeyValueStore, OnUndecodable } from '../../state/store.ts'
import { DeserializationFault, StreamRecord } from '../../topic/record.ts'
import type { JoinSide, WaitingKey, WaitingValues } from '../../topology/join-store-serdes.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type { NodeContext } from '../node-context.ts'
import type { Emit } from '../step.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'

/**
 * Two streams joined within a window (`KStreamKStreamJoin`). A record first meets the partners of the other side that
 * came before it, then it is kept for those that come after. In left and outer joins a record without partner waits in a
 * store of its own, ordered by time, until its window and the grace have passed.
 */
export const interpretStreamStreamJoin: Interpreter<'streamStreamJoin'> = (node, inputs, context) => {
  const waiting = node.outerStore === undefined ? undefined : new Waiting(node, context)
  const [left, right] = inputs as readonly [Observable<AnyRecord>, Observable<AnyRecord>]
  const leftSide = new Side(node, context, 'left', waiting)
  const rightSide = new Side(node, context, 'right', waiting)
  const joined = merge(
    step(context, node.name, left, (record, emit) => leftSide.process(record, emit)),
    step(context, node.name, right, (record, emit) => rightSide.process(record, emit)),
  )
  if (waiting === undefined) return joined
  return new Observable((subscriber) => {
    context.onStreamTime.push((streamTimeMs) => waiting.advanceIdle(streamTimeMs, subscriber))
    return joined.subscribe(subscriber)
  })
}

/** What one side does with its records. */
class Side {
  readonly #node: NodeOf<'streamStreamJoin'>
  readonly #context: NodeContext
  readonly #side: JoinSide
  readonly #otherSide: JoinSide
  readonly #waiting: Waiting | undefined
  /** True where a record of this side that finds no partner is emitted nevertheless. */
  readonly #outer: boolean
  readonly #own: JoinWindowStore<unknown, unknown>
  readonly #other: JoinWindowStore<unknown, unknown>
  /** A stored value that cannot be read is a failure of the record it came with, not of the one that finds it. */
  readonly #onUndecodable: OnUndecodable
  /** Joined values of the record at hand; the array serves every record. */
  readonly #joined: unknown[] = []
  readonly #beforeMs: number
  readonly #afterMs: number

  constructor(
    node: NodeOf<'streamStreamJoin'>,
    context: NodeContext,
    side: JoinSide,
    waiting: Waiting | undefined,
  ) {
    const { windows, leftStore, rightStore, type } = node
    const left = side === 'left'
    this.#node = node
    this.#context = context
    this.#side = side
    this.#otherSide = left ? 'right' : 'left'
    this.#waiting = waiting
    this.#outer = type === 'outer' || (type === 'left' && left)
    this.#own = context.store(left ? leftStore : rightStore)
    this.#other = context.store(left ? rightStore : leftStore)
    this.#onUndecodable = (record, origin, error) =>
      context.failEarlier(node.name, record, origin, new DeserializationFault(error))
    this.#beforeMs = left ? windows.beforeMs : windows.afterMs
    this.#afterMs = left ? windows.afterMs : windows.beforeMs
  }

  process(record: AnyRecord, emit: Emit): void {
    // A joiner gets the record before it is kept.
    if (this.#context.host.freezeState === true) record.freeze()
    const waits = this.#match(record, emit)
    // A null value is kept too: it finds no partner, but it counts in the changelog as in Kafka Streams.
    if (record.hasNullKey) return
    this.#own.putRecord(record)
    // After that, so that a record that cannot be kept does not wait either.
    if (waits)
      this.#waiting?.add({ timestamp: record.timestamp, side: this.#side, key: record.key }, record.value)
  }

  /** Returns whether the record waits for a partner. */
  #match(record: AnyRecord, emit: Emit): boolean {
    const { timestamp } = record
    const waiting = this.#waiting
    waiting?.advance(timestamp)
    if (this.#outer && record.hasNullKey && !record.hasNullValue) {
      emit.next(this.#alone(record))
      return false
    }
    if (record.hasNullKey || record.hasNullValue) {
      this.#context.drop(record.hasNullKey ? 'nullKey' : 'nullValue', this.#node.name, record)
      return false
    }
    if (timestamp === waiting?.streamTimeMs) waiting.release(record, this.#afterMs, emit)
    const joined = this.#joinPartners(record, emit)
    if (joined || !this.#outer || waiting === undefined) return false
    if (Math.max(0, timestamp + this.#afterMs) >= waiting.streamTimeMs) return true
    emit.next(this.#alone(record))
    return false
  }

  #joinPartners(record: AnyRecord, emit: Emit): boolean {
    const { timestamp } = record
    const from = Math.max(0, timestamp - this.#beforeMs)
    const to = Math.max(0, timestamp + this.#afterMs)
    const partners = this.#other.fetchFor(record, from, to, this.#onUndecodable)
    // A record without partner is not decoded.
    if (partners.length === 0) return false
    const { key, value } = record
    // All are joined before the first leaves: a record that fails at one partner takes none from those that wait.
    const joined = this.#joined
    for (let index = 0; index < partners.length; index++) {
      const partner = (partners[index] as JoinEntry<unknown>).value
      joined[index] =
        this.#side === 'left' ? this.#node.join(value, partner, key) : this.#node.join(partner, value, key)
    }
    for (let index = 0; index < partners.length; index++) {
      const partner = partners[index] as JoinEntry<unknown>
      this.#waiting?.remove({ timestamp: partner.timestamp, side: this.#otherSide, key }, timestamp)
      emit.next(record.withValue(joined[index]).withTimestamp(Math.max(timestamp, partner.timestamp)))
    }
    return true
  }

  #alone(record: AnyRecord): AnyRecord {
    const { key, value } = record
    const { join } = this.#node
    return record.withValue(this.#side === 'left' ? join(value, null, key) : join(null, value, key))
  }
}

/**
 * The records of a left or outer join that have no partner yet. Both sides share it, and the stream time with it. A
 * visit walks them by time, right before left, then key, and lets those leave whose window and grace have passed; it
 * ends once an open one of each side was seen. `mark` holds where the last visit ended, so that most records cost no
 * visit at all; it is lowered by new entries, and after a restart it begins at the oldest entry.
 */
class Waiting {
  streamTimeMs = -1
  readonly #node: NodeOf<'streamStreamJoin'>
  readonly #context: NodeContext
  readonly #store: KeyValueStore<WaitingKey, WaitingValues>
  #mark: number | undefined

  constructor(node: NodeOf<'streamStreamJoin'>, context: NodeContext) {
    this.#node = node
    this.#context = context
    this.#store = context.store(node.outerStore as string)
  }

  advance(timestamp: number): void {
    if (timestamp > this.streamTimeMs) this.streamTimeMs = timestamp
  }

  add(key: WaitingKey, value: unknown): void {
    this.#mark = Math.min(this.#mark ?? this.#oldest(), key.timestamp)
    const values = this.#store.get(key)?.values ?? []
    this.#store.put(key, { side: key.side, values: [...values, value] }, key.timestamp)
  }

  /** A partner came: what waits under that key and time is no longer emitted. */
  remove(key: WaitingKey, timestamp: number): void {
    if (this.#store.get(key) !== null) this.#store.put(key, null, timestamp)
  }

  /** Time has passed without a record: windows close all the same. */
  advanceIdle(streamTimeMs: number, emit: Emit): void {
    this.advance(streamTimeMs)
    this.release(undefined, Math.min(this.#node.windows.beforeMs, this.#node.windows.afterMs), emit)
  }

  /** Lets those leave whose window has closed; `afterMs` is how far ahead the arriving side looks. */
  release(cause: AnyRecord | undefined, afterMs: number, emit: Emit): void {
    const { windows } = this.#node
    this.#mark ??= this.#oldest()
    if (this.#mark + afterMs + windows.graceMs >= this.streamTimeMs) return
    for (const [key, { side, values }] of this.#closed()) {
      for (const value of values) this.#emitAlone(key, side, value, cause, emit)
      this.#store.put(key, null, cause?.timestamp ?? this.streamTimeMs)
    }
  }

  /** A joiner that throws fails the record that waited, once; not the one that came, and each that comes later. */
  #emitAlone(
    { key, timestamp }: WaitingKey,
    side: JoinSide,
    value: unknown,
    cause: AnyRecord | undefined,
    emit: Emit,
  ): void {
    const { name, join } = this.#node
    let joined: unknown
    try {
      joined = side === 'left' ? join(value, null, key) : join(null, value, key)
    } catch (error) {
      this.#context.failEarlier(name, StreamRecord.of(key, value, timestamp), undefined, error)
      return
    }
    const alone =
      cause === undefined
        ? StreamRecord.of(key, joined, timestamp)
        : cause.withKeyValue(key, joined).withTimestamp(timestamp)
    this.#context.emitEarlier(emit, alone)
  }

  #oldest(): number {
    for (const [{ timestamp }] of this.#store.all()) return timestamp
    return Infinity
  }

  #closed(): readonly (readonly [WaitingKey, WaitingValues])[] {
    const { beforeMs, afterMs, graceMs } = this.#node.windows
    const closed: (readonly [WaitingKey, WaitingValues])[] = []
    let leftOpen = false
    let rightOpen = false
    this.#mark = Infinity
    for (const entry of this.#store.all()) {
      const [{ timestamp, side }, { values }] = entry
      this.#mark = timestamp
      if (leftOpen && rightOpen) break
      const aheadMs = side === 'left' ? afterMs : beforeMs
      if (timestamp + aheadMs + graceMs < this.streamTimeMs) closed.push(entry)
      else if (side === 'left') leftOpen = true
      else rightOpen = true
      // Kafka Streams visits every value of an entry, so a second one ends the visit here.
      if (leftOpen && rightOpen && values.length > 1) break
    }
    return closed
  }
}
