import type { NodeOf, TopologyNode } from './node.ts'
import type { Topology } from './topology.ts'

/**
 * What follows for each table from the tables around it, worked out once from the finished topology as Kafka Streams
 * does while it builds one (`enableSendingOldValues`, `valueGetterSupplier`, `isOutputVersioned`):
 *
 * - old values are computed and sent only where a node below needs them;
 * - a foreign-key join without a store gets one where a node below must look its rows up;
 * - the nodes below a versioned table leave its out-of-order updates out.
 */
export interface TableSemantics {
  readonly sendsOldValues: ReadonlySet<string>
  /**
   * Filters that leave out deletions of rows they never had, as their table sends old values. Decided when the filter is
   * created: a foreign-key join that only a later step needs a store for did not send any then.
   */
  readonly filtersByOldValues: ReadonlySet<string>
  /** Foreign-key joins without a store whose rows a node looks up or needs the old values of. */
  readonly needsStore: ReadonlySet<string>
  /** Tables whose rows have versions: kept in a versioned store, or computed from a table that is. */
  readonly versioned: ReadonlySet<string>
}

type Said = Pick<Topology, 'nodes' | 'stores'>

/** The semantics of every table of a topology; computed once for each. */
export const tableSemanticsOf = (topology: Said): TableSemantics => {
  const known = computed.get(topology.nodes)
  if (known !== undefined) return known
  const semantics = new Analysis(topology).run()
  computed.set(topology.nodes, semantics)
  return semantics
}

const computed = new WeakMap<readonly TopologyNode[], TableSemantics>()

class Analysis implements TableSemantics {
  readonly sendsOldValues = new Set<string>()
  readonly filtersByOldValues = new Set<string>()
  readonly needsStore = new Set<string>()
  readonly versioned = new Set<string>()
  readonly #topology: Said
  readonly #nodes: ReadonlyMap<string, TopologyNode>
  readonly #versionedStores: ReadonlySet<string>

  constructor(topology: Said) {
    this.#topology = topology
    this.#nodes = new Map(topology.nodes.map((node) => [node.name, node]))
    this.#versionedStores = new Set(
      topology.stores.filter(({ kind }) => kind === 'versioned').map(({ name }) => name),
    )
  }

  run(): TableSemantics {
    for (const node of this.#topology.nodes) {
      this.#ask(node)
      if (this.#isVersioned(node)) this.versioned.add(node.name)
    }
    return this
  }

  /** What a node wants of its parents. */
  #ask(node: TopologyNode): void {
    const [first, second] = node.from as readonly [string, string]
    if (node.kind === 'tableFilter') {
      // Only to leave needless deletions out, so nothing is kept for its sake.
      if (this.#wantOldValues(first, false)) this.filtersByOldValues.add(node.name)
    } else if (
      node.kind === 'tableGroupBy' ||
      node.kind === 'suppress' ||
      node.kind === 'foreignKeySubscribe'
    ) {
      this.#wantOldValues(first, true)
    } else if (node.kind === 'tableTableJoin') {
      if (node.type !== 'inner') this.#wantOldValues(first, true)
      if (node.type === 'outer') this.#wantOldValues(second, true)
      this.#wantRows(first)
      this.#wantRows(second)
    } else if (
      node.kind === 'streamTableJoin' ||
      node.kind === 'foreignKeyRespond' ||
      node.kind === 'foreignKeyJoin'
    ) {
      this.#wantRows(second)
    }
  }

  /** Returns false where old values can't be had without keeping the table, and that is not wanted. */
  #wantOldValues(name: string, keep: boolean): boolean {
    const node = this.#nodes.get(name)
    if (node === undefined) return false
    if (!this.sendsOldValues.has(name)) {
      if (!this.#canSendOldValues(node, keep)) return false
      this.sendsOldValues.add(name)
    }
    return true
  }

  #canSendOldValues(node: TopologyNode, keep: boolean): boolean {
    if (node.kind === 'foreignKeyJoin') return this.#kept(node) || (keep && this.#keep(node))
    if (node.kind === 'tableTableJoin') {
      for (const parent of node.from) this.#wantOldValues(parent, true)
      return true
    }
    // The parts of a cogroup, which keep one store.
    if (node.kind === 'merge') return node.from.every((parent) => this.#wantOldValues(parent, keep))
    return !this.#isComputed(node) || this.#wantOldValues(node.from[0] as string, keep)
  }

  /** A node looks rows of this table up: it, or whatever it is computed from, must be kept. */
  #wantRows(name: string): void {
    const node = this.#nodes.get(name)
    if (node === undefined) return
    if (node.kind === 'foreignKeyJoin') {
      if (!this.#kept(node)) this.#keep(node)
    } else if (this.#isComputed(node)) for (const parent of node.from) this.#wantRows(parent)
  }

  /** True for a table that is not kept, its rows being computed from those of its parents. */
  #isComputed(node: TopologyNode): boolean {
    if (node.kind === 'suppress') return true
    return (
      (node.kind === 'tableFilter' || node.kind === 'tableMapValues' || node.kind === 'tableTableJoin') &&
      node.store === undefined
    )
  }

  #kept(node: NodeOf<'foreignKeyJoin'>): boolean {
    return (node.store !== undefined && node.storeIsNeeded !== true) || this.needsStore.has(node.name)
  }

  #keep(node: NodeOf<'foreignKeyJoin'>): true {
    this.needsStore.add(node.name)
    return true
  }

  #isVersioned(node: TopologyNode): boolean {
    if ((node.kind === 'tableFilter' || node.kind === 'tableMapValues') && node.store === undefined)
      return this.versioned.has(node.from[0] as string)
    const store = 'store' in node ? node.store : undefined
    return store !== undefined && isTable(node) && this.#versionedStores.has(store)
  }
}

/** The kinds whose store holds the rows they hand on. */
const isTable = ({ kind }: TopologyNode): boolean => tableKinds.has(kind)
const tableKinds: ReadonlySet<TopologyNode['kind']> = new Set([
  'tableSource',
  'toTable',
  'aggregate',
  'tableAggregate',
  'tableFilter',
  'tableMapValues',
  'tableTableJoin',
  'foreignKeyJoin',
])
