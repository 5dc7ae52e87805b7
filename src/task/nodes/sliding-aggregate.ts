import type { ValueAndTimestamp, WindowEntry, WindowStore } from '../../state/store.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type { OnRecord } from '../step.ts'
import { step } from '../step.ts'
import { closeTimeFor } from './close-time.ts'
import { closedWindows, closesBeforeUpdate } from './closed-windows.ts'
import { updateSenderFor } from './coalesced-updates.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'
import { ownCopyFor } from './own-copy.ts'
import { WindowUpdates } from './window-updates.ts'
import { windowView } from './window-view.ts'

/**
 * Aggregates within sliding windows (`KStreamSlidingWindowAggregate`, KIP-450): a window for every distinct set of
 * records that lie at most `difference` apart. Each record has a left window that ends with it, and once another record
 * follows closely a right window that begins just after it; only those are kept. Null keys and values are dropped.
 */
export const interpretSlidingAggregate: Interpreter<'slidingAggregate'> = (node, inputs, context) => {
  const store = context.store<WindowStore<unknown, unknown>>(node.store)
  const { differenceMs, graceMs } = node.windows
  const sendUpdate = updateSenderFor(context, node)
  const updates = new WindowUpdates({ store, sizeMs: differenceMs, emit: node.emit, sendUpdate })
  const ownCopy = ownCopyFor(context, node.store)
  const closeTime = closeTimeFor(context, node, graceMs)
  const emitClosed = closedWindows(context, node, store, { sizeMs: differenceMs, closesAtEnd: false })
  const closesFirst = closesBeforeUpdate(context)
  context.views.set(node.name, windowView(store))
  const onRecord: OnRecord = (record, emit) => {
    if (record.hasNullKey) return context.drop('nullKey', node.name, record)
    if (record.hasNullValue) return context.drop('nullValue', node.name, record)
    const { timestamp } = record
    const closeTimeMs = closeTime.at(timestamp)
    if (closesFirst) emitClosed?.(emit, closeTimeMs, record)
    if (timestamp + differenceMs < closeTimeMs) context.drop('late', node.name, record)
    else {
      const arrival = new Arrival(node, store, updates, record, closeTimeMs, ownCopy)
      updates.begin()
      if (timestamp < differenceMs) arrival.takeEarly()
      else arrival.take()
      context.dropSome('late', node.name, record, arrival.late, false)
      updates.apply(record, emit)
    }
    if (!closesFirst) emitClosed?.(emit, closeTimeMs, record)
  }
  return step(context, node.name, onlyInput(inputs), onRecord, (emit) => {
    if (emitClosed !== undefined) context.onStreamTime.push((nowMs) => emitClosed(emit, closeTime.at(nowMs)))
  })
}

type Aggregate = ValueAndTimestamp<unknown>

/** One record and the windows it changes or makes. */
class Arrival {
  /** How many of its windows have closed. */
  late = 0
  readonly #node: NodeOf<'slidingAggregate'>
  readonly #store: WindowStore<unknown, unknown>
  readonly #updates: WindowUpdates
  readonly #record: AnyRecord
  readonly #closeTimeMs: number
  readonly #differenceMs: number
  readonly #ownCopy: <T>(value: T) => T

  constructor(
    node: NodeOf<'slidingAggregate'>,
    store: WindowStore<unknown, unknown>,
    updates: WindowUpdates,
    record: AnyRecord,
    closeTimeMs: number,
    ownCopy: <T>(value: T) => T,
  ) {
    this.#ownCopy = ownCopy
    this.#node = node
    this.#store = store
    this.#updates = updates
    this.#record = record
    this.#closeTimeMs = closeTimeMs
    this.#differenceMs = node.windows.differenceMs
  }

  /** Visits the windows around the record from the latest to the first that ends before it. */
  take(): void {
    const { timestamp } = this.#record
    const starts = new Set<number>()
    let left: WindowEntry<unknown> | undefined
    let right: WindowEntry<unknown> | undefined
    let leftExists = false
    let rightExists = false
    let previousTimestamp: number | undefined
    for (const window of this.#windowsBetween(timestamp - 2 * this.#differenceMs, timestamp + 1)) {
      starts.add(window.startMs)
      const endMs = window.startMs + this.#differenceMs
      if (window.startMs === timestamp + 1) rightExists = true
      else if (endMs > timestamp) {
        right ??= window
        this.#update(window.startMs, window, window)
      } else if (endMs === timestamp) {
        leftExists = true
        this.#update(window.startMs, window, window)
        // The window already ended with a record of this time, so its neighbours have been made before.
        if (window.timestamp >= timestamp) return
        previousTimestamp = window.timestamp
      } else {
        left = window
        previousTimestamp = window.timestamp
        break
      }
    }
    if (previousTimestamp !== undefined && !starts.has(previousTimestamp + 1))
      this.#makeRightOf(previousTimestamp)
    if (!leftExists) this.#makeLeft(left, previousTimestamp)
    if (!rightExists) this.#makeRight(right)
  }

  /** No window begins below zero: records earlier than the difference share the window that begins there. */
  takeEarly(): void {
    const { timestamp } = this.#record
    const starts = new Set<number>()
    let combined: WindowEntry<unknown> | undefined
    let right: WindowEntry<unknown> | undefined
    let rightExists = false
    let previousTimestamp: number | undefined
    for (const window of [...this.#store.fetchRange(this.#record.key, 0, timestamp + 1)]) {
      starts.add(window.startMs)
      if (window.startMs === 0) {
        combined = window
        if (window.timestamp < timestamp) previousTimestamp = window.timestamp
      } else if (window.startMs <= timestamp) {
        right = window
        this.#update(window.startMs, window, window)
      } else rightExists = true
    }
    if (right === undefined && combined !== undefined && combined.timestamp > timestamp) right = combined
    if (!rightExists) this.#makeRight(right)
    if (previousTimestamp !== undefined && !starts.has(previousTimestamp + 1))
      this.#makeRightOf(previousTimestamp)
    this.#update(0, combined ?? this.#empty(), combined ?? null)
  }

  #windowsBetween(fromMs: number, toMs: number): readonly WindowEntry<unknown>[] {
    return [...this.#store.fetchRange(this.#record.key, Math.max(0, fromMs), toMs, { reverse: true })]
  }

  /** The window that begins just after the record holds what the latest window around it holds beyond the record. */
  #makeRight(around: Aggregate | undefined): void {
    const { timestamp } = this.#record
    if (around === undefined || around.timestamp <= timestamp) return
    this.#updates.add(timestamp + 1, around.value, around.timestamp, null, null)
  }

  /** The record before this one now has a follower within reach, so its right window begins to exist. */
  #makeRightOf(previousTimestamp: number): void {
    if (previousTimestamp + 1 + this.#differenceMs >= this.#record.timestamp)
      this.#update(previousTimestamp + 1, this.#empty(), null)
  }

  #makeLeft(before: Aggregate | undefined, previousTimestamp: number | undefined): void {
    const { timestamp } = this.#record
    const startMs = timestamp - this.#differenceMs
    const sharesRecords = previousTimestamp !== undefined && startMs <= previousTimestamp
    const start = sharesRecords && before !== undefined ? { value: before.value, timestamp } : this.#empty()
    this.#update(startMs, start, null)
  }

  #empty(): Aggregate {
    return { value: this.#node.initial(), timestamp: this.#record.timestamp }
  }

  /** Adds the record to a window, unless that has closed; `stored` is what the store holds of the window. */
  #update(startMs: number, { value, timestamp }: Aggregate, stored: Aggregate | null): void {
    const record = this.#record
    if (startMs + this.#differenceMs < this.#closeTimeMs) {
      this.late++
      return
    }
    const added = this.#node.verb === 'count' ? undefined : record.value
    const newValue = this.#node.add(this.#ownCopy(value), added, record) ?? null
    this.#updates.add(startMs, newValue, Math.max(timestamp, record.timestamp), stored, value)
  }
}
