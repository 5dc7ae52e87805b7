import type { OperatorFunction } from 'rxjs'
import { map, Observable } from 'rxjs'
import { checkArgument } from '../base/options.ts'
import { synchronous } from '../base/value-kinds.ts'
import type { StreamRecord } from '../topic/record.ts'
import { mapKeyOf } from './key-of.ts'

/**
 * An RxJS operator that accumulates the values of each key, as `scan` does those of a stream, and emits the accumulation for
 * each record, under its key and time. `seed` makes what a key begins with.
 *
 * What it knows is in memory alone: it begins anew when a task is started, moves or is started over, and it grows with the
 * number of keys. What has to survive is `groupByKey().aggregate(...)`.
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
    new Observable((subscriber) => {
      const byKey = new Map<unknown, A>()
      return records
        .pipe(
          map((record) => {
            const key = mapKeyOf(record.key)
            const known = byKey.has(key) ? (byKey.get(key) as A) : seed()
            const accumulated = accumulate(known, record.value, record.key)
            byKey.set(key, accumulated)
            return record.withValue(accumulated)
          }),
        )
        .subscribe(subscriber)
    })
}
