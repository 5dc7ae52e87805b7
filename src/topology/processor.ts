import type { Bytes } from '../base/bytes.ts'
import type { Headers } from '../topic/headers.ts'
import type { KeyValueRecord, RecordOrigin } from '../topic/record.ts'

/**
 * The Processor API: a step of your own with stores, timers and as many outputs as it likes. Processors are made again
 * for every task, so whatever must outlive a restart belongs into a store.
 *
 * @example
 * const latest: Supplier<string, Order, string, Order> = (context) => {
 *   const orders = context.store<KeyValueStore<string, Order>>('latest-orders')
 *   context.schedule(minutes(1), 'wallClock', () => {
 *     for (const [key, value] of orders.all()) context.forward({ key, value })
 *   })
 *   return { process: ({ key, value, timestamp }) => orders.put(key, value, timestamp) }
 * }
 */
export interface Processor<in K, in V> {
  process(record: KeyValueRecord<K, V>): void
  close?(): void
}

/** Makes a processor for one task. */
export type Supplier<K, V, KOut, VOut> = (context: ProcessorContext<KOut, VOut>) => Processor<K, V>
/** The same for a processor that may not change keys, so that nothing needs a repartition after it. */
export type ValueSupplier<K, V, VOut> = (context: ValueProcessorContext<VOut>) => Processor<K, V>
/** Any supplier, as a node holds it. */
export type ProcessorSupplier = Supplier<never, never, unknown, unknown>

/** Calls on a schedule; `timestamp` is the stream time or the time of day, whichever the schedule follows. */
export type Punctuator = (timestamp: number) => void

/** What a processor may ask of its task, whatever it hands on. */
export interface TaskContext {
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  readonly applicationId: string
  /** The record being processed was read here; undefined inside a punctuator. */
  readonly origin: RecordOrigin | undefined
  /** A store that was connected to this processor by name, or the store of a global table. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- only the author knows which kind of store it is
  store<S>(name: string): S
  /**
   * Calls `punctuator` every `intervalMs` of stream time or of the clock; the returned function cancels it. Intervals
   * of stream time are counted from 0 and begin with the first record; those of the clock begin after one interval.
   */
  schedule(intervalMs: number, type: 'streamTime' | 'wallClock', punctuator: Punctuator): () => void
  /** Asks for a commit as soon as the turn allows. */
  commit(): void
  /** The largest timestamp this task has seen; -1 before the first record. */
  currentStreamTimeMs(): number
  currentSystemTimeMs(): number
}

/** The context of a processor that may change keys. */
export interface ProcessorContext<in KOut = unknown, in VOut = unknown> extends TaskContext {
  /** Hands a record on: to all children, or to the one of that name. Time and headers default to those of the cause. */
  forward(record: Forwarded<KOut, VOut>, child?: string): void
}

/** What the processor of a saga gets beside what every processor may ask for. */
export interface SagaProcessorContext extends ProcessorContext<string, Bytes> {
  /** Counts a saga that is stuck because a command of it cannot be built; the log warns. */
  readonly countStuck: () => void
}

/** The context of a processor that keeps the key of each record. */
export interface ValueProcessorContext<in VOut = unknown> extends TaskContext {
  /** Hands a value on under the key of the record being processed; a punctuator has none, and may not. */
  forward(record: Omit<Forwarded<never, VOut>, 'key'>, child?: string): void
}

/** A record that a processor forwards. */
export interface Forwarded<out K, out V> {
  readonly key: K
  readonly value: V
  readonly timestamp?: number | undefined
  readonly headers?: Headers | undefined
}
