import type { KeyValueRecord, RecordOrigin } from '../topic/record.ts'
import type { EmittedRecord } from './node.ts'

/**
 * The Processor API: a step of your own with stores, timers and as many outputs as it likes. Processors are made anew
 * for every task, so whatever must outlive a restart belongs into a store.
 */
export interface Processor<in K, in V> {
  process(record: KeyValueRecord<K, V>): void
  close?(): void
}

export type ProcessorSupplier = (context: ProcessorContext) => Processor<never, never>

/** Calls on a schedule; `timestamp` is the stream time or the time of day, whichever the schedule follows. */
export type Punctuator = (timestamp: number) => void

export interface ProcessorContext<out KOut = unknown, out VOut = unknown> {
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  readonly applicationId: string
  /** The record being processed was read here; undefined inside a punctuator. */
  readonly origin: RecordOrigin | undefined
  /** Hands a record on: to all children, or to the one of that name. Time and headers default to those of the cause. */
  forward(record: EmittedRecord, child?: string): void
  /** A store that was connected to this processor by name. */
  store<S>(name: string): S
  /** Calls `punctuator` every `intervalMs` of stream time or of the clock; the returned function cancels it. */
  schedule(intervalMs: number, type: 'streamTime' | 'wallClock', punctuator: Punctuator): () => void
  /** Asks for a commit as soon as the turn allows. */
  commit(): void
  currentStreamTimeMs(): number
  currentSystemTimeMs(): number
}

/** Phantom use of the output types, so that a typed context can be told from another. */
export type ProcessorOutput<C> = C extends ProcessorContext<infer K, infer V> ? { key: K; value: V } : never
