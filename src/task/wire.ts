import type { Observable } from 'rxjs'
import { EMPTY, Subscription, merge } from 'rxjs'
import type { AnyRecord, RepartitionNode, TopologyNode } from '../topology/node.ts'
import type { SubTopology } from '../topology/sub-topologies.ts'
import { refuseLongChain } from './chain-length.ts'
import { interpret } from './interpret.ts'
import type { NodeContext } from './node-context.ts'
import { outputKey } from './nodes/process.ts'
import { interpretRepartition } from './nodes/sink.ts'
import { Relay } from './relay.ts'
import { watchInput, watchOutput } from './watch.ts'

/** The wired sub-topology: where records enter, by the node that reads their topic, and how to let go of all of it. */
export interface Wiring {
  readonly entries: ReadonlyMap<string, Relay>
  readonly subscription: Subscription
}

/**
 * Wires the nodes of a sub-topology with RxJS. A node with one follower is piped straight into it, so that a chain of
 * nodes costs no more than a chain of operators; where several follow, a relay hands each record to them in the order
 * they were created, depth first.
 */
export const wire = (subTopology: SubTopology, context: NodeContext): Wiring =>
  new Wirer(subTopology, context).wire()

/** The output of a node; `headIndex` is the position of the first node of the chain that a subscription would start. */
interface Output {
  readonly records: Observable<AnyRecord>
  readonly headIndex: number | undefined
}

class Wirer {
  readonly #subTopology: SubTopology
  readonly #context: NodeContext
  readonly #outputs = new Map<string, Output>()
  readonly #entries = new Map<string, Relay>()
  readonly #subscriptions: { readonly headIndex: number; readonly subscribe: () => Subscription }[] = []
  readonly #followers: ReadonlyMap<string, readonly TopologyNode[]>

  constructor(subTopology: SubTopology, context: NodeContext) {
    this.#subTopology = subTopology
    this.#context = context
    this.#followers = followersIn(subTopology)
  }

  wire(): Wiring {
    refuseLongChain(this.#subTopology)
    const reads = new Set<TopologyNode>(this.#subTopology.reads)
    const nodes = new Set(this.#subTopology.nodes)
    const writes = new Set<TopologyNode>(this.#subTopology.writes)
    this.#context.topology.nodes.forEach((node, index) => {
      if (writes.has(node)) this.#write(node as RepartitionNode, index)
      if (reads.has(node)) this.#enter(node, index)
      else if (nodes.has(node)) this.#add(node, index)
    })
    // Nothing flows yet, so only the order among the followers of one relay matters: that of their creation.
    const subscription = new Subscription()
    for (const { subscribe } of this.#subscriptions.toSorted(
      (left, right) => left.headIndex - right.headIndex,
    ))
      subscription.add(subscribe())
    return { entries: this.#entries, subscription }
  }

  #add(node: TopologyNode, index: number): void {
    if (node.from.length === 0) {
      this.#enter(node, index)
      return
    }
    const inputs = node.from.map((parent) => this.#inputFrom(parent, node))
    const piped = node.from.length === 1 && node.kind !== 'branch'
    const headIndex = (piped ? this.#outputs.get(node.from[0] as string)?.headIndex : undefined) ?? index
    this.#offer(node, interpret(node, inputs, this.#context), headIndex)
  }

  #enter(node: TopologyNode, index: number): void {
    const entry = new Relay()
    this.#entries.set(node.name, entry)
    const input = watchInput(this.#context.host.watcher, node.name, entry)
    this.#offer(node, node.kind === 'repartition' ? input : interpret(node, [input], this.#context), index)
  }

  #write(node: RepartitionNode, index: number): void {
    const parent = node.from[0] as string
    const records = interpretRepartition(node, [this.#inputFrom(parent, node)], this.#context)
    this.#subscribe(this.#outputs.get(parent)?.headIndex ?? index, () => records.subscribe())
  }

  /** Makes a node's output available: as it is to an only follower, over a relay to several. */
  #offer(node: TopologyNode, output: Observable<AnyRecord>, headIndex: number): void {
    const records = watchOutput(this.#context.host.watcher, node.name, output)
    const followers = this.#followers.get(node.name) ?? []
    const [only] = followers
    if (followers.length === 1 && only?.from.length === 1 && only.kind !== 'branch') {
      this.#outputs.set(node.name, { records, headIndex })
      return
    }
    // Several steps get the same objects: what one of them changed would change for the others too.
    const isFrozen = followers.length > 1 && this.#context.host.freezeState === true
    if (records instanceof Relay && !isFrozen) {
      this.#outputs.set(node.name, { records, headIndex: undefined })
      return
    }
    const relay = new Relay()
    this.#outputs.set(node.name, { records: relay, headIndex: undefined })
    this.#subscribe(headIndex, () =>
      relay.follow(records, isFrozen ? (record) => record.freeze() : undefined),
    )
  }

  #inputFrom(parent: string, child: TopologyNode): Observable<AnyRecord> {
    const output = this.#outputs.get(parent)?.records ?? EMPTY
    const named = this.#context.branches.get(outputKey(parent, child.name))
    const input = named === undefined ? output : merge(output, named)
    return watchInput(this.#context.host.watcher, child.name, input)
  }

  #subscribe(headIndex: number, subscribe: () => Subscription): void {
    this.#subscriptions.push({ headIndex, subscribe })
  }
}

/** The nodes of this sub-topology that follow each node, the writing halves of repartitions among them. */
const followersIn = ({ nodes, writes }: SubTopology): ReadonlyMap<string, readonly TopologyNode[]> => {
  const followers = new Map<string, TopologyNode[]>()
  for (const node of [...nodes, ...writes])
    for (const parent of new Set(node.from)) {
      const known = followers.get(parent)
      if (known === undefined) followers.set(parent, [node])
      else known.push(node)
    }
  return followers
}
