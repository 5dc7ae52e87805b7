import type { OperatorFunction } from 'rxjs'
import { defer, map } from 'rxjs'
import { checkArgument } from '../base/options.ts'
import { synchronous } from '../base/value-kinds.ts'
import type { StreamRecord } from '../topic/record.ts'
import { mapKeyOf } from '../topic/map-key.ts'

/**
 * An RxJS operator that accumulates the values of each key, as `scan` does those of a stream, and emits the accumulation for
 * each record, under its key and time. `seed` makes what a key begins with.
 *
 * Its state is in memory only: it is empty after a start, a rebalance or a failure of the task, and it grows with the number
 * of keys. Use `groupByKey().aggregate(...)` for what has to survive.
 *
 * @example
 * orders.pipe(scanByKey((highest: number, { amount }) => Math.max(highest, amount), () => 0), { preservesKey: true })
 */
export const scanByKey = <K, V, A>(
  accumulate: (accumulated: A, value: V, key: K) => A,
  seed: () => A,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, A>> => {
  checkArgument('scanByKey', accumulate, synchronous)
  checkArgument('scanByKey: the seed', seed, synchronous)
  return (records) =>
    defer(() => {
      const byKey = new Map<unknown, A>()
      return records.pipe(
        map((record) => {
          const key = mapKeyOf(record.key)
          const known = byKey.has(key) ? (byKey.get(key) as A) : seed()
          const accumulated = accumulate(known, record.value, record.key)
          byKey.set(key, accumulated)
          return record.withValue(accumulated)
        }),
      )
    })
}
