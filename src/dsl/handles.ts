import type { Graph, Position } from './graph.ts'
import type { GroupedStream, Grouping } from './grouped-stream.ts'
import type { GroupedTable } from './grouped-table.ts'
import type { Stream } from './stream.ts'
import type { Table } from './table.ts'

/**
 * How a fluent class makes another: streams group into grouped streams, those aggregate into tables, tables turn into
 * streams again. The builder hands the makers in, so that the classes need not import each other.
 */
export interface Handles {
  stream<K, V>(at: Position): Stream<K, V>
  table<K, V>(at: Position, store: string | undefined): Table<K, V>
  groupedStream<K, V>(at: Position, grouping: Grouping): GroupedStream<K, V>
  groupedTable<K, V>(at: Position): GroupedTable<K, V>
}

/** The makers that the builder gave to the graph. */
export const handlesOf = (graph: Graph): Handles => graph.handles as Handles
