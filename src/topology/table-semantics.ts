import type { NodeOf, TopologyNode } from './node.ts'
import type { Topology } from './topology.ts'

/**
 * What follows for each table from the tables around it, worked out once from the finished topology as Kafka Streams
 * does while it builds one (`enableSendingOldValues`, `valueGetterSupplier`, `isOutputVersioned`):
 *
 * - old values are computed and sent only where somebody below asked for them;
 * - a foreign-key join without a store gets one where somebody below must look its rows up;
 * - whoever follows a versioned table leaves its out-of-order updates out.
 */
export interface TableSemantics {
  readonly sendsOldValues: ReadonlySet<string>
  /** Foreign-key joins without a store whose rows somebody looks up or wants the old values of. */
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
  readonly needsStore = new Set<string>()
  readonly versioned = new Set<string>()
  readonly #topology: Said
  readonly #nodes: ReadonlyMap<string, TopologyNode>

  constructor(topology: Said) {
    this.#topology = topology
    this.#nodes = new Map(topology.nodes.map((node) => [node.name, node]))
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
    switch (node.kind) {
      case 'tableFilter':
        // Only to leave needless deletions out, so nothing is kept for its sake.
        this.#wantOldValues(first, false)
        return
      case 'tableGroupBy':
      case 'suppress':
      case 'foreignKeySubscribe':
        this.#wantOldValues(first, true)
        return
      case 'tableTableJoin':
        if (node.type !== 'inner') this.#wantOldValues(first, true)
        if (node.type === 'outer') this.#wantOldValues(second, true)
        this.#wantRows(first)
        this.#wantRows(second)
        return
      case 'streamTableJoin':
      case 'foreignKeyRespond':
      case 'foreignKeyJoin':
        this.#wantRows(second)
        return
      default:
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
    switch (node.kind) {
      case 'tableFilter':
      case 'tableMapValues':
        return node.store !== undefined || this.#wantOldValues(node.from[0] as string, keep)
      case 'suppress':
        return this.#wantOldValues(node.from[0] as string, keep)
      case 'tableTableJoin':
        for (const parent of node.from) this.#wantOldValues(parent, true)
        return true
      case 'foreignKeyJoin':
        return this.#kept(node) || (keep && this.#keep(node))
      default:
        return true
    }
  }

  /** Somebody looks rows of this table up: it, or whatever it is computed from, must be kept. */
  #wantRows(name: string): void {
    const node = this.#nodes.get(name)
    switch (node?.kind) {
      case 'tableFilter':
      case 'tableMapValues':
      case 'tableTableJoin':
        if (node.store === undefined) for (const parent of node.from) this.#wantRows(parent)
        return
      case 'suppress':
        this.#wantRows(node.from[0] as string)
        return
      case 'foreignKeyJoin':
        if (!this.#kept(node)) this.#keep(node)
        return
      default:
    }
  }

  #kept(node: NodeOf<'foreignKeyJoin'>): boolean {
    return node.store !== undefined || this.needsStore.has(node.name)
  }

  #keep(node: NodeOf<'foreignKeyJoin'>): true {
    this.needsStore.add(node.name)
    return true
  }

  #isVersioned(node: TopologyNode): boolean {
    switch (node.kind) {
      case 'tableSource':
      case 'toTable':
      case 'aggregate':
      case 'tableAggregate':
        return this.#isVersionedStore(node.store)
      case 'tableFilter':
      case 'tableMapValues':
        return node.store === undefined
          ? this.versioned.has(node.from[0] as string)
          : this.#isVersionedStore(node.store)
      case 'tableTableJoin':
      case 'foreignKeyJoin':
        return node.store !== undefined && this.#isVersionedStore(node.store)
      default:
        return false
    }
  }

  #isVersionedStore(name: string): boolean {
    return this.#topology.stores.some((store) => store.name === name && store.kind === 'versioned')
  }
}
