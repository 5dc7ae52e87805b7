import { refuseUnknownOptions } from '../base/known-options.ts'
import type { AnySerde } from '../topic/serde.ts'
import type { NodeOf } from '../topology/node.ts'
import type { Graph, Position } from './graph.ts'
import type { MaybeStored, SerdeSource } from './options.ts'
import { optionalSerde } from './options.ts'
import { keep } from './stores.ts'
import type { Table } from './table.ts'

/** The result of a join is kept only where a store is named. */
export type TableJoinOptions<R> = MaybeStored & { readonly value?: SerdeSource<NonNullable<R>> }

/** Joins two tables of one key. */
export const joinTables = <K, R>(
  type: NodeOf<'tableTableJoin'>['type'],
  left: Position,
  right: Position,
  join: (left: never, right: never, key: never) => unknown,
  options: TableJoinOptions<R>,
): Table<K, NonNullable<R>> => {
  refuseUnknownOptions(verbs[type], options, ['name', 'store', 'storage', 'changelog', 'versioned', 'value'])
  const at = { ...left, value: joinedSerde(options) }
  refuseForeignTable(at.graph, right)
  const store = keep(at, options)
  const node = at.graph.add('tableTableJoin', verbs[type], options.name, {
    from: [left.node, right.node],
    type,
    join: join as NodeOf<'tableTableJoin'>['join'],
    store,
  })
  return at.graph.handles.table<K, NonNullable<R>>({ ...at, node }, store)
}

const verbs = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

/** The serde of what a joiner makes, as far as the author said one. */
export const joinedSerde = (options: { readonly value?: unknown }): AnySerde | undefined =>
  optionalSerde(options.value as never)

/** Tables of two topologies share nothing but topics. */
export const refuseForeignTable = (graph: Graph, other: Position): void => {
  if (other.graph !== graph)
    graph.fault(
      'TABLE_OF_OTHER_TOPOLOGY',
      `a table of topology '${other.graph.name}' is joined here`,
      'write it to a topic there and read that topic as a table here',
    )
}
