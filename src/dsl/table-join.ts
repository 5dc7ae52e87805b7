import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import type { AnySerde } from '../topic/serde.ts'
import { serdeSource } from '../topic/value-kinds.ts'
import type { NodeOf } from '../topology/node.ts'
import { requireFunction, requireHandle } from './arguments.ts'
import { refuseForeign } from './refuse-foreign.ts'
import type { Position, TablePosition } from './graph.ts'
import type { MaybeStored, SerdeSource } from './options.ts'
import { maybeStored, optionalSerde } from './options.ts'
import { keep } from './stores.ts'

/** The result of a join is kept only where a store is named. */
export type TableJoinOptions<R> = MaybeStored & { readonly value?: SerdeSource<NonNullable<R>> }

/** Joins two tables of one key; returns where the result goes on and the store that keeps it. */
export const joinTables = <R>(
  type: NodeOf<'tableTableJoin'>['type'],
  left: Position,
  other: { readonly at: Position },
  join: (left: never, right: never, key: never) => unknown,
  options: TableJoinOptions<R>,
): TablePosition => {
  const verb = verbs[type]
  requireHandle(verb, other, 'table')
  requireFunction(verb, join)
  checkOptions(verb, options, tableJoinOptions)
  const right = other.at
  const at = { ...left, value: joinedSerde(options) }
  refuseForeign(at.graph, right, 'table')
  const store = keep(at, options)
  const node = at.graph.add('tableTableJoin', verb, options.name, {
    from: [left.node, right.node],
    type,
    join: join as NodeOf<'tableTableJoin'>['join'],
    store,
  })
  return { at: { ...at, node }, store }
}

const tableJoinOptions: OptionShape<TableJoinOptions<never>> = { ...maybeStored, value: serdeSource }
const verbs = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

/** The serde of what a joiner makes, as far as the author said one. */
export const joinedSerde = (options: { readonly value?: unknown }): AnySerde | undefined =>
  optionalSerde(options.value as never)
