import type { TopologyNode } from './node.ts'
import type { StoreDefinition } from './store-definition.ts'

/**
 * A topology: nodes and stores as frozen data, in the order they were said. It does nothing by itself; tasks interpret
 * it, and everything else that wants to know about it reads it.
 */
export interface Topology {
  readonly name: string
  /** The service that answers for it (its bounded context). */
  readonly owner: string | undefined
  /** @internal */
  readonly nodes: readonly TopologyNode[]
  /** @internal */
  readonly stores: readonly StoreDefinition[]
}

export const nodeNamed = (topology: Topology, name: string): TopologyNode | undefined =>
  topology.nodes.find((node) => node.name === name)

/** Children by parent name, in order of creation. */
export const childrenByParent = (
  /** @internal */
  nodes: readonly TopologyNode[],
): ReadonlyMap<string, readonly TopologyNode[]> => {
  const children = new Map<string, TopologyNode[]>()
  for (const node of nodes)
    for (const parent of new Set(node.from)) {
      const known = children.get(parent)
      if (known === undefined) children.set(parent, [node])
      else known.push(node)
    }
  return children
}

/** The stores a node uses, by name. */
export const storesOf = (node: TopologyNode): readonly string[] => {
  switch (node.kind) {
    case 'tableSource':
    case 'deduplicate':
    case 'toTable':
    case 'aggregate':
    case 'windowAggregate':
    case 'slidingAggregate':
    case 'sessionAggregate':
    case 'tableAggregate':
    case 'suppress':
    case 'foreignKeyStore':
    case 'foreignKeyRespond':
      return [node.store]
    case 'tableFilter':
    case 'streamTableJoin':
    case 'tableTableJoin':
    case 'foreignKeyJoin':
      return node.store === undefined ? [] : [node.store]
    case 'streamStreamJoin':
      return node.outerStore === undefined
        ? [node.leftStore, node.rightStore]
        : [node.leftStore, node.rightStore, node.outerStore]
    case 'process':
      return node.stores
    case 'tableMapValues':
      return node.store === undefined ? node.stores : [node.store, ...node.stores]
    case 'source':
    case 'filter':
    case 'map':
    case 'flatMap':
    case 'peek':
    case 'pipe':
    case 'split':
    case 'branch':
    case 'merge':
    case 'mapAsync':
    case 'sink':
    case 'repartition':
    case 'toStream':
    case 'tableGroupBy':
    case 'foreignKeySubscribe':
    case 'streamGlobalTableJoin':
      return []
  }
}
