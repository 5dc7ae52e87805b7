import type { Graph, Position } from './graph.ts'

/** Topologies share nothing but topics. */
export const refuseForeign = (
  graph: Graph,
  other: Pick<Position, 'graph'>,
  what: 'stream' | 'table',
): void => {
  if (other.graph !== graph)
    graph.fault(
      what === 'table' ? 'TABLE_OF_OTHER_TOPOLOGY' : 'STREAM_OF_OTHER_TOPOLOGY',
      `a ${what} of topology '${other.graph.name}' is joined here`,
      `write it to a topic there and read that topic as a ${what} here`,
    )
}
