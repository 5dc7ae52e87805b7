import { compareBytes } from '../../base/bytes.ts'
import type { Bytes } from '../../base/bytes.ts'
import { Fault } from '../../base/fault.ts'
import { Heap } from '../../base/heap.ts'
import type { KeyValueStore } from '../../state/store.ts'
import type { Serde } from '../../topic/serde.ts'
import { serialized } from '../../topic/serde.ts'
import type { Windowed } from '../../topic/windowed.ts'
import { StreamRecord } from '../../topic/record.ts'
import type { BufferedChange, BufferedChangeSerde } from '../../topology/buffered-change.ts'
import { bufferedChangeHeaders, bufferedSizeOf } from '../../topology/buffered-change.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import type { StoreDefinition } from '../../topology/store-definition.ts'
import { tableSemanticsOf } from '../../topology/table-semantics.ts'
import type { NodeContext, TableView } from '../node-context.ts'
import type { Emit, OnRecord } from '../step.ts'
import { changeOf } from '../node-context.ts'
import { step } from '../step.ts'
import { changeIn } from './coalesced-updates.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/**
 * Holds a table's updates back (`KTableSuppress`): the last of each key waits, by the time of the first, or by the end of
 * its window. What is due leaves whenever a record arrives, by time and then by serialised key. A node that looks a waiting
 * row up finds it as it was before.
 */
export const interpretSuppress: Interpreter<'suppress'> = (node, inputs, context) => {
  const buffer = new Buffer(node, context)
  const durationMs = node.until.kind === 'windowCloses' ? node.until.graceMs : node.until.limitMs
  const sendsOldValues = tableSemanticsOf(context.topology).sendsOldValues.has(node.name)
  let streamTimeMs = -1
  context.views.set(node.name, buffer.viewOver(context.views.get(node.from[0] as string)))

  const release = (emit: Emit): void => {
    const { key, change } = buffer.first
    // A window whose result was deleted again is no result.
    if (change.newValue !== null || node.until.kind === 'timeLimit') {
      const updated = changeOf(change.newValue, sendsOldValues ? change.oldValue : null)
      const origin = originOf(change)
      const result = StreamRecord.of(key, updated, change.timestamp, change.headers, origin)
      context.emitEarlier(emit, result, isSame(origin, context.origin) ? context.source : undefined)
    }
    // As in Kafka Streams, who looks the row up while it leaves still finds it as it was before.
    buffer.remove(key, change)
  }
  const releaseDue = (emit: Emit, nowMs: number): void => {
    if (nowMs > streamTimeMs) streamTimeMs = nowMs
    while (buffer.firstTimeMs <= streamTimeMs - durationMs) release(emit)
  }
  const onRecord: OnRecord = (record, emit) => {
    buffer.put(record)
    releaseDue(emit, record.timestamp)
    if (!buffer.isFull) return
    if (node.whenFull === 'shutDown') throw bufferFull(node)
    while (buffer.isFull) release(emit)
  }
  return step(context, node.name, onlyInput(inputs), onRecord, (emit) => {
    context.onStreamTime.push((nowMs) => releaseDue(emit, nowMs))
  })
}

interface Waiting {
  readonly timeMs: number
  readonly keyBytes: Bytes
  readonly key: unknown
}

/** The updates that wait: kept in a store, and in order of their leaving in memory. */
class Buffer {
  readonly #node: NodeOf<'suppress'>
  readonly #context: NodeContext
  readonly #store: KeyValueStore<unknown, BufferedChange>
  readonly #definition: StoreDefinition
  readonly #order = new Heap<Waiting>(
    (left, right) => left.timeMs - right.timeMs || compareBytes(left.keyBytes, right.keyBytes),
  )
  #restored = false
  #bytes = 0

  constructor(node: NodeOf<'suppress'>, context: NodeContext) {
    this.#node = node
    this.#context = context
    this.#store = context.store(node.store)
    this.#definition = context.topology.stores.find(({ name }) => name === node.store) as StoreDefinition
  }

  get firstTimeMs(): number {
    this.#restore()
    return this.#order.first?.timeMs ?? Infinity
  }

  get isFull(): boolean {
    const { maxRecords = Infinity, maxBytes = Infinity } = this.#node
    return this.#order.size > maxRecords || this.#bytes > maxBytes
  }

  put(record: AnyRecord): void {
    this.#restore()
    const { key } = record
    const change = changeIn(record)
    const known = this.#store.get(key)
    const buffered: BufferedChange = {
      timestamp: record.timestamp,
      offset: record.origin?.offset ?? -1,
      topic: record.origin?.topic ?? '',
      partition: record.origin?.partition ?? this.#context.partition,
      headers: record.headers,
      priorValue: known === null ? change.oldValue : known.priorValue,
      oldValue: change.oldValue,
      newValue: change.newValue,
      bufferTimeMs: known?.bufferTimeMs ?? this.#timeOf(record),
    }
    this.#store.put(key, buffered, record.timestamp, bufferedChangeHeaders)
    this.#count(key, known, -1)
    this.#count(key, buffered, 1)
    if (known === null) this.#enqueue(key, buffered)
  }

  /** What leaves first. */
  get first(): { readonly key: unknown; readonly change: BufferedChange } {
    const { key } = this.#order.first as Waiting
    return { key, change: this.#store.get(key) as BufferedChange }
  }

  /** Takes off what leaves first. */
  remove(key: unknown, change: BufferedChange): void {
    this.#order.take()
    this.#store.put(key, null, change.timestamp)
    this.#count(key, change, -1)
  }

  /** Waiting rows as they were before; all others as the table above has them. */
  viewOver(parent: TableView | undefined): TableView {
    return {
      get: (key) => {
        const waiting = this.#store.get(key)
        if (waiting === null) return parent?.get(key) ?? null
        return waiting.priorValue === null ? null : { value: waiting.priorValue, timestamp: -1 }
      },
    }
  }

  /** What a restart brought back is put in order before the first record. */
  #restore(): void {
    if (this.#restored) return
    this.#restored = true
    for (const [key, change] of this.#store.all()) {
      this.#enqueue(key, change)
      this.#count(key, change, 1)
    }
  }

  #enqueue(key: unknown, { bufferTimeMs }: BufferedChange): void {
    const serde = this.#definition.key as unknown as Serde<unknown>
    this.#order.add({ timeMs: bufferTimeMs, keyBytes: serialized(serde, key as NonNullable<unknown>), key })
  }

  #count(key: unknown, change: BufferedChange | null, sign: 1 | -1): void {
    if (change === null || this.#node.maxBytes === undefined) return
    const keySerde = this.#definition.key as unknown as Serde<unknown>
    const keySize = serialized(keySerde, key as NonNullable<unknown>).length
    this.#bytes += sign * (keySize + bufferedSizeOf(this.#definition.value as BufferedChangeSerde, change))
  }

  #timeOf(record: AnyRecord): number {
    return this.#node.until.kind === 'timeLimit' ? record.timestamp : (record.key as Windowed<unknown>).endMs
  }
}

const originOf = ({ topic, partition, offset }: BufferedChange): AnyRecord['origin'] =>
  topic === '' ? undefined : { topic, partition, offset }

const isSame = (left: AnyRecord['origin'], right: AnyRecord['origin']): boolean =>
  left?.offset === right?.offset && left?.partition === right?.partition && left?.topic === right?.topic

const bufferFull = (node: NodeOf<'suppress'>): Fault =>
  new Fault({
    code: 'SUPPRESSION_FULL',
    actor: 'author',
    message: `more than ${node.maxRecords ?? 'any number of'} records or ${node.maxBytes ?? 'any number of'} bytes wait in '${node.store}'`,
    remedy: 'raise the bound, shorten grace or limit, or let results leave early with untilTimeLimit',
    place: { node: node.name, store: node.store },
  })
