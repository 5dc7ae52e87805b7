import type { RepartitionNode, TableSourceNode, TopologyNode } from './node.ts'
import type { StoreDefinition } from './store-definition.ts'
import type { Topology } from './topology.ts'
import { storesOf } from './topology.ts'

/**
 * A sub-topology is what must run together: nodes joined by edges or by a shared store. A repartition node is where one
 * ends (it writes the internal topic) and the next begins (it reads it), so it stands in `writes` of the one and in
 * `reads` of the other. One task runs one sub-topology for one partition.
 */
export interface SubTopology {
  readonly index: number
  /** The nodes that run here, in order of creation; repartition nodes are in `reads` and `writes` instead. */
  readonly nodes: readonly TopologyNode[]
  readonly reads: readonly RepartitionNode[]
  readonly writes: readonly RepartitionNode[]
  readonly stores: readonly StoreDefinition[]
}

/** A table every task holds whole: fed by its own reader, outside the tasks. */
export interface GlobalTable {
  readonly source: TableSourceNode
  readonly store: StoreDefinition
}

/** Splits a topology as Kafka Streams' `InternalTopologyBuilder` groups its nodes; numbered by their first node. */
export const subTopologiesOf = (topology: Topology): readonly SubTopology[] => {
  const groups = new Groups()
  const locals = topology.nodes.filter((node) => !isGlobal(node))
  const localNames = new Set(locals.map(({ name }) => name))
  const owners = new Map<string, string>()
  for (const node of locals) {
    const reader = readerOf(node)
    groups.add(reader)
    for (const parent of node.from) if (localNames.has(parent)) groups.join(writerOf(node), parent)
    for (const store of storesOf(node)) {
      const owner = owners.get(store)
      if (owner === undefined) owners.set(store, reader)
      else groups.join(owner, reader)
    }
  }
  return collect(topology, locals, groups, owners)
}

/** The global tables of a topology. */
export const globalTablesOf = (topology: Topology): readonly GlobalTable[] =>
  topology.nodes.filter(isGlobal).map((source) => ({
    source,
    store: topology.stores.find(({ name }) => name === source.store) as StoreDefinition,
  }))

/** The sources of the tables whose topic serves as their changelog, by the name of the store. */
export const sourcesOfChangelogs = ({ nodes, stores }: Topology): ReadonlyMap<string, TableSourceNode> => {
  const reusing = new Set(
    stores.filter((store) => store.changelogTopic !== undefined).map(({ name }) => name),
  )
  return new Map(
    nodes.flatMap((node) =>
      node.kind === 'tableSource' && !node.global && reusing.has(node.store) ? [[node.store, node]] : [],
    ),
  )
}

const isGlobal = (node: TopologyNode): node is TableSourceNode => node.kind === 'tableSource' && node.global

/** A repartition node has two halves; every other node is one. */
const readerOf = (node: TopologyNode): string => node.name
const writerOf = (node: TopologyNode): string =>
  node.kind === 'repartition' ? `${node.name}\u0000write` : node.name

const collect = (
  topology: Topology,
  locals: readonly TopologyNode[],
  groups: Groups,
  owners: ReadonlyMap<string, string>,
): readonly SubTopology[] => {
  const indexes = new Map<string, number>()
  const indexOf = (member: string): number => {
    const root = groups.rootOf(member)
    const known = indexes.get(root)
    if (known !== undefined) return known
    indexes.set(root, indexes.size)
    return indexes.size - 1
  }
  for (const node of locals) {
    if (node.kind === 'repartition') indexOf(writerOf(node))
    indexOf(readerOf(node))
  }
  const repartitions = locals.filter((node) => node.kind === 'repartition')
  const nodes = Map.groupBy(
    locals.filter((node) => node.kind !== 'repartition'),
    (node) => indexOf(node.name),
  )
  const reads = Map.groupBy(repartitions, (node) => indexOf(readerOf(node)))
  const writes = Map.groupBy(repartitions, (node) => indexOf(writerOf(node)))
  const stores = Map.groupBy(
    topology.stores.filter(({ name }) => owners.has(name)),
    ({ name }) => indexOf(owners.get(name) as string),
  )
  return Array.from({ length: indexes.size }, (_, index) => ({
    index,
    nodes: nodes.get(index) ?? [],
    reads: reads.get(index) ?? [],
    writes: writes.get(index) ?? [],
    stores: stores.get(index) ?? [],
  }))
}

/** Union-find over names. */
class Groups {
  readonly #parents = new Map<string, string>()

  add(member: string): void {
    if (!this.#parents.has(member)) this.#parents.set(member, member)
  }

  join(left: string, right: string): void {
    this.add(left)
    this.add(right)
    this.#parents.set(this.rootOf(right), this.rootOf(left))
  }

  /** In a loop, and each member on the way is led to its grandparent: a chain may have ten thousand nodes. */
  rootOf(member: string): string {
    let current = member
    for (;;) {
      const parent = this.#parents.get(current) ?? current
      const grandparent = this.#parents.get(parent) ?? parent
      if (parent === grandparent) return parent
      this.#parents.set(current, grandparent)
      current = grandparent
    }
  }
}
