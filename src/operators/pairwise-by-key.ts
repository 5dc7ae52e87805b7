import type { OperatorFunction } from 'rxjs'
import { filter, map, Observable } from 'rxjs'
import type { StreamRecord } from '../topic/record.ts'
import { mapKeyOf } from './key-of.ts'

/**
 * An RxJS operator that emits each value of a key together with the one before it, as `pairwise` does those of a stream. The
 * first of a key emits nothing.
 *
 * What it knows is in memory alone: it begins anew when a task is started, moves or is started over, and it grows with the
 * number of keys.
 *
 * @example
 * orders.pipe(pairwiseByKey(), { preservesKey: true }).filter(({ value: [before, now] }) => now.amount > before.amount)
 */
export const pairwiseByKey =
  <K, V>(): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, readonly [before: V, now: V]>> =>
  (records) =>
    new Observable((subscriber) => {
      const latest = new Map<unknown, V>()
      return records
        .pipe(
          map((record) => {
            const key = mapKeyOf(record.key)
            const before = latest.has(key) ? ([latest.get(key) as V] as const) : undefined
            latest.set(key, record.value)
            return before === undefined ? undefined : record.withValue([before[0], record.value] as const)
          }),
          filter((pair) => pair !== undefined),
        )
        .subscribe(subscriber)
    })
