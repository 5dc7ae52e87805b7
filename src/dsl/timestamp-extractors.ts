import { Fault } from '../base/fault.ts'
import type { KeyValueRecord } from '../topic/record.ts'
import type { TimestampExtractor } from '../topology/node.ts'
import { requireFunction } from './arguments.ts'

/**
 * Where a record's time comes from, and what happens where it has none: a negative time. Without an extractor the
 * record's own time holds, and a negative one drops the record and counts it.
 *
 * @example
 * builder.stream(orders, { timestampExtractor: failOnInvalid })
 * builder.stream(orders, { timestampExtractor: extractedFrom(({ value }) => value.placedAt, usePartitionTime) })
 */

/** The record's own time; a negative one is a failure of the record, under its failure policy. */
export const failOnInvalid: TimestampExtractor = (record) => {
  if (record.timestamp >= 0) return record.timestamp
  throw new Fault({
    code: 'TIMESTAMP_INVALID',
    actor: 'record',
    message: `the record has the invalid timestamp ${record.timestamp}`,
    remedy: 'fix the producer, or choose dropInvalid, usePartitionTime or wallClock',
    place: { ...record.origin },
  })
}

/** The record's own time; a negative one drops the record and counts it (`negativeTimestamp`). */
export const dropInvalid: TimestampExtractor = (record) => record.timestamp

/** The record's own time; in place of a negative one, the largest time of its partition so far. */
export const usePartitionTime: TimestampExtractor = (record, partitionTimeMs) => {
  if (record.timestamp >= 0) return record.timestamp
  return partitionTimeMs >= 0 ? partitionTimeMs : failOnInvalid(record, partitionTimeMs, 0)
}

/** The time of the clock when the record comes up for processing, whatever the record says. */
export const wallClock: TimestampExtractor = (_record, _partitionTimeMs, nowMs) => nowMs

/**
 * A time within the record; `onInvalid` decides where it is negative or no number. Defaults to `failOnInvalid`.
 *
 * @example
 * builder.stream(orders, { timestampExtractor: extractedFrom(({ value }) => value.placedAt) })
 */
export const extractedFrom = <K, V>(
  extract: (record: KeyValueRecord<K, V>) => number,
  onInvalid: TimestampExtractor = failOnInvalid,
): ((record: KeyValueRecord<K, V>, partitionTimeMs: number, nowMs: number) => number) => {
  requireFunction('extractedFrom', extract)
  requireFunction('extractedFrom', onInvalid, 'onInvalid')
  return (record, partitionTimeMs, nowMs) => {
    const timestamp = extract(record)
    return timestamp >= 0 ? timestamp : onInvalid({ ...plain(record), timestamp: -1 }, partitionTimeMs, nowMs)
  }
}

const plain = ({ key, value, headers, origin }: KeyValueRecord<unknown, unknown>) => ({
  key,
  value,
  headers,
  origin,
})
