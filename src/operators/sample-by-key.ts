import type { MonoTypeOperatorFunction } from 'rxjs'
import { defer, filter } from 'rxjs'
import { checkArgument } from '../base/options.ts'
import { durationMs } from '../base/value-kinds.ts'
import type { StreamRecord } from '../topic/record.ts'
import { mapKeyOf } from '../topic/map-key.ts'

/**
 * An RxJS operator that keeps at most one record of each key in a period, by the times of the records: the first, and the
 * next that is at least `periodMs` later. No timer takes part, so a replay keeps the same records.
 *
 * Its state is in memory only: it is empty after a start, a rebalance or a failure of the task. A key is forgotten once its
 * period is over.
 *
 * @example
 * orders.pipe(sampleByKey(seconds(10)), { preservesKey: true }).to(completed)
 */
export const sampleByKey = <K, V>(periodMs: number): MonoTypeOperatorFunction<StreamRecord<K, V>> => {
  checkArgument('sampleByKey', periodMs, durationMs)
  return (records) =>
    defer(() => {
      const kept = new KeptTimes(periodMs)
      return records.pipe(filter(({ key, timestamp }) => kept.isDue(mapKeyOf(key), timestamp)))
    })
}

/** When a record of each key was last kept, in the order of being kept. */
class KeptTimes {
  readonly #periodMs: number
  readonly #byKey = new Map<unknown, number>()

  constructor(periodMs: number) {
    this.#periodMs = periodMs
  }

  isDue(key: unknown, timestamp: number): boolean {
    const last = this.#byKey.get(key)
    if (last !== undefined && timestamp < last + this.#periodMs) return false
    this.#byKey.delete(key)
    this.#byKey.set(key, timestamp)
    this.#forget(timestamp)
    return true
  }

  /** Two of those that were kept longest ago for each that is: all are looked at in time. */
  #forget(timestamp: number): void {
    let looks = 2
    for (const [key, keptMs] of this.#byKey) {
      if (looks-- === 0 || timestamp < keptMs + this.#periodMs) return
      this.#byKey.delete(key)
    }
  }
}
