import type { TopologyNode } from '../topology/node.ts'
import type { Graph } from './graph.ts'

/**
 * Repartitions drop records without key, as most of what follows can do nothing with them. A left or outer join can: it
 * emits them without a partner (KIP-962). So above one of those, however far, repartitions let them pass, and whatever
 * cannot place them counts them instead, as in Kafka Streams.
 */
export const relaxRepartitions = (graph: Graph): void => {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]))
  const relaxed = new Set<string>()
  for (const node of graph.nodes)
    for (const input of keylessInputs(node)) markRepartitionsAbove(nodes, input, relaxed)
  graph.nodes.forEach((node, index) => {
    if (relaxed.has(node.name))
      graph.nodes[index] = Object.freeze({ ...node, dropNullKeys: false } as TopologyNode)
  })
}

/** The streams of which a join takes records without key, or counts them itself. */
const keylessInputs = (node: TopologyNode): readonly string[] => {
  if (node.kind === 'streamStreamJoin') return node.type === 'inner' ? [] : node.from
  const takesKeyless = node.kind === 'streamTableJoin' || node.kind === 'streamGlobalTableJoin'
  return takesKeyless && node.type === 'left' ? node.from.slice(0, 1) : []
}

const markRepartitionsAbove = (
  nodes: ReadonlyMap<string, TopologyNode>,
  name: string,
  relaxed: Set<string>,
): void => {
  const node = nodes.get(name)
  if (node?.kind === 'repartition' && !node.changes) relaxed.add(name)
  for (const parent of streamsAbove(node)) markRepartitionsAbove(nodes, parent, relaxed)
}

/** The table of a stream-table join only answers look-ups: no record of it reaches what follows the join. */
const streamsAbove = (node: TopologyNode | undefined): readonly string[] => {
  if (node?.kind === 'streamTableJoin' || node?.kind === 'streamGlobalTableJoin') return node.from.slice(0, 1)
  return node?.from ?? []
}
