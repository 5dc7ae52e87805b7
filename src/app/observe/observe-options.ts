import type { Observable } from 'rxjs'
import { Fault } from '../../base/fault.ts'
import type { OptionShape, ValueKind } from '../../base/options.ts'
import { callback, hasFunctions, oneOf, required, wholeNumber } from '../../base/value-kinds.ts'
import type { EventFields } from '../../runtime/runtime-settings.ts'

/**
 * Where to begin: with the oldest records, with records that are written from now on, with the first record at or after
 * a time, or at an offset of each partition. With offsets, the other partitions are not read.
 *
 * @example
 * const sinceMidnight: ObserveFrom = new Date('2026-11-30T00:00:00Z')
 * const offsets: ObserveFrom = { 0: 42, 1: 17 }
 */
export type ObserveFrom = 'beginning' | 'latest' | Date | Readonly<Record<number, number>>

/** How a topic is observed. */
export interface ObserveOptions {
  readonly from: ObserveFrom
  /** `end` completes at the ends that the partitions have at the subscription. Defaults to reading on. */
  readonly until?: 'end'
  /** Defaults to `read_committed`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /**
   * No record is emitted while its last value is true, and no more is fetched than `inputBufferMaxBytes`, so that what is
   * slow downstream sets the pace. A publisher has one: `client.publish(topic).full`.
   */
  readonly pausedBy?: Observable<boolean>
  /** Called for what is tried again, as a broker that does not answer. Defaults to a line on standard error. */
  readonly onWarning?: (message: string, fields: EventFields) => void
}

const fromKind: ValueKind = {
  needs: `'beginning', 'latest', a Date, or an offset by partition`,
  example: '{ 0: 42 }',
  accepts: (value) =>
    value === 'beginning' ||
    value === 'latest' ||
    (value instanceof Date && Number.isFinite(value.getTime())) ||
    isOffsets(value),
}

const isOffsets = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Date) &&
  Object.keys(value).length > 0 &&
  Object.entries(value).every(
    ([partition, offset]) => wholeNumber.accepts(Number(partition)) && wholeNumber.accepts(offset),
  )

const observableKind: ValueKind = {
  needs: 'an Observable of booleans',
  accepts: (value) => hasFunctions(value, 'subscribe', 'pipe'),
}

export const observeOptions: OptionShape<ObserveOptions> = {
  from: required(fromKind),
  until: oneOf('end'),
  isolation: oneOf('read_committed', 'read_uncommitted'),
  pausedBy: observableKind,
  onWarning: callback,
}

export const partitionMissing = (topic: string, partition: number, count: number): Fault =>
  new Fault({
    code: 'PARTITION_MISSING',
    actor: 'author',
    message: `the topic has no partition ${partition}: it has ${count}`,
    remedy: 'give offsets of partitions that exist',
    place: { topic, partition },
  })

export const offsetMissing = (
  {
    topic,
    partition,
    offset,
  }: { readonly topic: string; readonly partition: number; readonly offset: number },
  startOffset: number,
  endOffset: number,
): Fault =>
  new Fault({
    code: 'OFFSET_OUT_OF_RANGE',
    actor: 'author',
    message: `the log does not hold the offset to begin at: it holds ${startOffset} to ${endOffset}`,
    remedy: `begin within these, or observe from 'beginning'`,
    place: { topic, partition, offset },
  })
