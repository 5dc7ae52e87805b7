import type { OperatorFunction } from 'rxjs'
import { concatMap, defer } from 'rxjs'
import type { StreamRecord } from '../topic/record.ts'
import { mapKeyOf } from '../topic/map-key.ts'

/**
 * An RxJS operator that emits each value of a key together with the one before it, as `pairwise` does those of a stream. The
 * first of a key emits nothing.
 *
 * Its state is in memory only: it is empty after a start, a rebalance or a failure of the task, and it grows with the number
 * of keys.
 *
 * @example
 * orders.pipe(pairwiseByKey(), { preservesKey: true }).filter(({ value: [before, now] }) => now.amount > before.amount)
 */
export const pairwiseByKey =
  <K, V>(): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, readonly [before: V, now: V]>> =>
  (records) =>
    defer(() => {
      const latest = new Map<unknown, V>()
      return records.pipe(
        concatMap((record) => {
          const key = mapKeyOf(record.key)
          const pairs = latest.has(key)
            ? [record.withValue([latest.get(key) as V, record.value] as const)]
            : []
          latest.set(key, record.value)
          return pairs
        }),
      )
    })
