import type { TopologyNode } from '../topology/node.ts'
import { tableSemanticsOf } from '../topology/table-semantics.ts'
import type { Graph } from './graph.ts'

/**
 * Gives a store to each foreign-key join that was defined without one but whose rows a node below looks up or needs the
 * old values of. It is called after the join's own name, so it stays over deployments.
 */
export const addNeededStores = (graph: Graph): void => {
  const { needsStore } = tableSemanticsOf({ nodes: [...graph.nodes], stores: graph.stores })
  graph.nodes.forEach((node, index) => {
    const definition = needsStore.has(node.name) ? graph.optionalStores.get(node.name)?.() : undefined
    if (definition === undefined) return
    graph.nodes[index] = Object.freeze({
      ...node,
      store: graph.addStore(definition),
      storeIsNeeded: true,
    } as TopologyNode)
  })
}
