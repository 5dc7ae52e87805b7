import type { KeyValueStore, TimestampedKeyValueStore } from '../../state/store.ts'
import type { RecordOrigin } from '../../topic/record.ts'
import { StreamRecord } from '../../topic/record.ts'
import type { BufferedKey, BufferedValue } from '../../topology/join-store-serdes.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type { NodeContext, TableView } from '../node-context.ts'
import type { Emit } from '../step.ts'
import { step } from '../step.ts'
import type { Interpreter } from './interpreter.ts'

/**
 * A record of a stream meets the row of its key (`KStreamKTableJoin`); the table's own updates emit nothing. A versioned
 * table answers as of the record's time. Null values are dropped and counted, and so are null keys, which a left join
 * emits without partner.
 */
export const interpretStreamTableJoin: Interpreter<'streamTableJoin'> = (node, inputs, context) => {
  const view = context.view(node.from[1] as string)
  const left = node.type === 'left'
  const join = (record: AnyRecord, emit: Emit): void => {
    const value = record.hasNullKey ? null : rowFor(view, record)
    if (left || value !== null) emit.next(record.withValue(node.join(record.value, value, record.key)))
  }
  const buffer = node.store === undefined ? undefined : new Buffer(node, context)
  return step(context, node.name, inputs[0] as NonNullable<(typeof inputs)[0]>, (record, emit) => {
    if (record.hasNullValue) return context.drop('nullValue', node.name, record)
    if (record.hasNullKey && !left) return context.drop('nullKey', node.name, record)
    if (buffer === undefined || record.hasNullKey || !buffer.put(record)) join(record, emit)
    buffer?.release((waiting) => {
      // It has left the buffer either way: its failure is its own, and not that of the record that released it.
      try {
        join(waiting, emit)
      } catch (error) {
        context.failEarlier(node.name, waiting, waiting.origin, error)
      }
    })
  })
}

/**
 * The same with a table that every task holds whole, under a key of its own; the stream's key may be null. A null
 * look-up is dropped and counted, but a left join emits it without partner.
 */
export const interpretStreamGlobalTableJoin: Interpreter<'streamGlobalTableJoin'> = (
  node,
  inputs,
  context,
) => {
  const left = node.type === 'left'
  let store: TimestampedKeyValueStore<unknown, unknown> | undefined
  return step(context, node.name, inputs[0] as NonNullable<(typeof inputs)[0]>, (record, emit) => {
    if (record.hasNullValue) return context.drop('nullValue', node.name, record)
    const key = node.lookup(record) ?? null
    if (key === null && !left) return context.drop('nullLookupKey', node.name, record)
    store ??= context.store<TimestampedKeyValueStore<unknown, unknown>>(node.globalStore)
    const value = key === null ? null : (store.get(key)?.value ?? null)
    if (left || value !== null) emit.next(record.withValue(node.join(record.value, value, record.key)))
  })
}

const rowFor = (view: TableView, { key, timestamp }: AnyRecord): unknown =>
  (view.versioned === true ? view.getAsOf?.(key, timestamp) : view.get(key))?.value ?? null

/**
 * Records that wait until the stream side's time has moved on by the grace. They leave by time, then key, then arrival,
 * which is the order of the store; updates of the table release nothing.
 */
class Buffer {
  readonly #store: KeyValueStore<BufferedKey, BufferedValue>
  readonly #graceMs: number
  /** The largest time ever put; records dropped before do not count. */
  #streamTimeMs = -1
  #sequence = 0
  #restored = false

  constructor(node: NodeOf<'streamTableJoin'>, context: NodeContext) {
    this.#store = context.store(node.store as string)
    this.#graceMs = node.graceMs as number
  }

  /** False where the record is already later than the grace and must not wait. */
  put(record: AnyRecord): boolean {
    this.#restore()
    const { key, value, timestamp, headers, origin } = record
    if (timestamp < this.#streamTimeMs - this.#graceMs) return false
    this.#sequence = (this.#sequence + 1) & 0x7fff_ffff
    const { topic, partition, offset } = origin ?? nowhere
    this.#store.put(
      { timestamp, key, sequence: this.#sequence },
      { value, timestamp, headers, topic, partition, offset },
      timestamp,
    )
    if (timestamp > this.#streamTimeMs) this.#streamTimeMs = timestamp
    return true
  }

  release(join: (record: AnyRecord) => void): void {
    this.#restore()
    const due: (readonly [BufferedKey, BufferedValue])[] = []
    for (const entry of this.#store.all()) {
      if (entry[0].timestamp > this.#streamTimeMs - this.#graceMs) break
      due.push(entry)
    }
    for (const [key, buffered] of due) {
      join(recordOf(key, buffered))
      this.#store.put(key, null, this.#streamTimeMs)
    }
  }

  /** After a restart goes on counting where the restored entries end, so that none is overwritten. */
  #restore(): void {
    if (this.#restored) return
    this.#restored = true
    for (const [{ timestamp, sequence }] of this.#store.all()) {
      this.#streamTimeMs = Math.max(this.#streamTimeMs, timestamp)
      this.#sequence = Math.max(this.#sequence, sequence)
    }
  }
}

const nowhere: RecordOrigin = { topic: '', partition: -1, offset: -1 }

const recordOf = (
  { key }: BufferedKey,
  { value, timestamp, headers, topic, partition, offset }: BufferedValue,
): AnyRecord =>
  StreamRecord.of(key, value, timestamp, headers, topic === '' ? undefined : { topic, partition, offset })
