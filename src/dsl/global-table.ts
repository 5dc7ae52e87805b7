import type { AnySerde } from '../topic/serde.ts'
import type { Handle } from './arguments.ts'
import type { Graph } from './graph.ts'

/**
 * A table that every task holds whole, whatever its partition (Kafka Streams' `GlobalKTable`): small reference data
 * that streams look up under any key, without being partitioned alike. It is filled before the first record is
 * processed and follows its topic from then on.
 *
 * @example
 * const currencies = builder.globalTable(exchangeRates, { store: 'exchange-rates' })
 * orders.join(currencies, ({ value }) => value.currency, convert).to(converted)
 */
export class GlobalTable<K, V> implements Handle<'globalTable'> {
  /** @internal */
  readonly handle = 'globalTable' as const
  /** @internal */
  readonly graph: Graph
  /** @internal */
  readonly node: string
  /** The store that holds its rows. */
  readonly store: string
  /** @internal */
  readonly key: AnySerde
  /** What a row is; never present at run time. */
  declare readonly row?: readonly [key: K, value: V]

  /** @internal */
  constructor(graph: Graph, node: string, store: string, key: AnySerde) {
    this.graph = graph
    this.node = node
    this.store = store
    this.key = key
  }
}
