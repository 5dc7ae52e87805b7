import type { NodeOf, TopologyNode } from './node.ts'
import type { TopologyProblem } from './problem.ts'
import { nodeError } from './problem.ts'
import type { StoreDefinition } from './store-definition.ts'
import type { Topology } from './topology.ts'

/** Validation errors of what asks tables for more than they keep. */
export const tableProblems = (topology: Topology): readonly TopologyProblem[] =>
  topology.nodes.flatMap((node) => (node.kind === 'streamTableJoin' ? graceProblems(topology, node) : []))

/**
 * A join with a grace looks its table up as of the past: every store its rows come from must have versions, and a
 * history that reaches back as far as the grace.
 */
const graceProblems = (
  topology: Topology,
  { name, from, graceMs }: NodeOf<'streamTableJoin'>,
): readonly TopologyProblem[] => {
  if (graceMs === undefined) return []
  const nodes = new Map(topology.nodes.map((node) => [node.name, node]))
  const names = storesOfRows(nodes, from[1] as string)
  const stores = topology.stores.filter((store) => names.has(store.name))
  return stores.flatMap((store) => graceProblem(name, graceMs, store) ?? [])
}

const graceProblem = (node: string, graceMs: number, store: StoreDefinition): TopologyProblem | undefined => {
  if (store.kind !== 'versioned')
    return nodeError(
      'JOIN_GRACE_UNVERSIONED',
      node,
      `join '${node}' has a grace and asks table '${store.name}' for its past, but the table keeps no versions`,
      'make the table versioned, or leave the grace out',
    )
  if (graceMs <= store.historyRetentionMs) return undefined
  return nodeError(
    'JOIN_GRACE_BEYOND_HISTORY',
    node,
    `join '${node}' has a grace of ${graceMs} ms, but store '${store.name}' of its table keeps a history of ${store.historyRetentionMs} ms`,
    'give a `historyRetention` of at least the grace',
  )
}

/** The stores that a look-up of a table's row reads: its own, or those of the tables it is computed from. */
const storesOfRows = (nodes: ReadonlyMap<string, TopologyNode>, name: string): ReadonlySet<string> => {
  const node = nodes.get(name)
  if (node === undefined) return new Set()
  if ('store' in node && node.store !== undefined && node.kind !== 'suppress') return new Set([node.store])
  return new Set(node.from.flatMap((parent) => [...storesOfRows(nodes, parent)]))
}
