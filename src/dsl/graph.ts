import { isDuration } from '../base/duration.ts'
import { Fault } from '../base/fault.ts'
import type { NodeKind, NodeOf, TopologyNode } from '../topology/node.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { AnySerde } from '../topic/serde.ts'
import { string } from '../topic/serdes.ts'
import { shown } from '../base/shown.ts'
import { withCheckedCallbacks } from './checked-callbacks.ts'

/**
 * The nodes that a builder has defined so far. The fluent classes only add to it; faults of the author are collected
 * and reported together when the topology is built.
 */
export class Graph {
  readonly name: string
  /** Makes fluent handles. `handlesOf` gives it its type, which a graph cannot know: the handles are made of graphs. */
  readonly handles: object
  readonly nodes: TopologyNode[] = []
  readonly stores: StoreDefinition[] = []
  readonly faults: Fault[] = []
  /** By node: makes the store of a table that was given none, should the finished topology need one there. */
  readonly optionalStores: Map<string, () => StoreDefinition> = new Map()
  #generated = 0
  #isFinished = false

  constructor(name: string, handles: object) {
    this.name = name
    this.handles = handles
  }

  /** Adds a node; without a name of the author's it is called `<verb>-<number>`, the number being its position. */
  add<Kind extends NodeKind>(
    kind: Kind,
    verb: string,
    name: string | undefined,
    node: Omit<NodeOf<Kind>, 'kind' | 'name' | 'named'>,
  ): string {
    this.#refuseFinished(verb)
    const position = String(this.#generated++).padStart(4, '0')
    const unique = name ?? `${verb}-${position}`
    this.#checkEmit(kind, verb, (node as { readonly emit?: unknown }).emit)
    const checked = withCheckedCallbacks(kind, verb, node)
    const complete = { kind, name: unique, named: name !== undefined, ...checked } as unknown as NodeOf<Kind>
    this.nodes.push(Object.freeze(complete) as TopologyNode)
    return unique
  }

  /** A step that is added after this would be lost. */
  finish(): void {
    this.#isFinished = true
  }

  #refuseFinished(verb: string): void {
    if (this.#isFinished)
      throw new Fault({
        code: 'TOPOLOGY_FINISHED',
        actor: 'author',
        message: `${verb} comes too late: topology '${this.name}' is defined already`,
        remedy: 'add all steps while the function given to topology runs',
      })
  }

  addStore(store: StoreDefinition): string {
    this.#refuseFinished('a store')
    if (typeof store.name !== 'string' || store.name === '')
      this.fault(
        'STORE_NAME_MISSING',
        'a store has no name',
        'name it: the name reaches the disk and a topic',
      )
    for (const what of ['windowSizeMs', 'retentionMs', 'historyRetentionMs'])
      if (what in store && !isDuration((store as unknown as Record<string, unknown>)[what]))
        this.fault(
          'STORE_DURATION_INVALID',
          `store '${store.name}': ${what} is ${String((store as unknown as Record<string, unknown>)[what])}`,
          'give whole milliseconds, as minutes(5)',
        )
    if (store.storage !== 'memory' && store.storage !== 'disk')
      this.fault(
        'STORE_STORAGE_INVALID',
        `store '${store.name}' has the storage ${String(store.storage)}`,
        "give storage: 'memory' or 'disk'",
      )
    this.stores.push(Object.freeze(store))
    return store.name
  }

  fault(code: string, message: string, remedy: string, node?: string): void {
    this.faults.push(new Fault({ code, actor: 'author', message, remedy, place: { node } }))
  }

  #checkEmit(kind: NodeKind, verb: string, emit: unknown): void {
    const known = ['onUpdate', 'onCommit', ...(windowedKinds.has(kind) ? ['onWindowClose'] : [])]
    if (emit !== undefined && !known.includes(emit as string))
      this.refuseArgument(`${verb}: emit is ${shown(emit)}, and may be ${known.join(', ')}`)
  }

  /** A mistake that the compiler does not see in JavaScript. */
  refuseArgument(message: string, node?: string): void {
    this.fault('ARGUMENT_INVALID', message, 'see the documentation of the method', node)
  }

  /** The key serde of a stream; text by default (the types allow leaving it out for text only). */
  keySerde(serde: AnySerde | undefined): AnySerde {
    return serde ?? string
  }

  /** The value serde where one is needed; an author's fault where a step before changed the values and named none. */
  valueSerde(serde: AnySerde | undefined, what: string): AnySerde {
    if (serde !== undefined) return serde
    this.fault(
      'SERDE_MISSING',
      `${what} writes values to a topic or a store, and a step before it changed them without naming a serde`,
      'give it a `value` serde or zod schema',
    )
    return string
  }
}

const windowedKinds: ReadonlySet<NodeKind> = new Set([
  'windowAggregate',
  'slidingAggregate',
  'sessionAggregate',
] as const)

/** Where a fluent handle stands: the node it continues, the serdes known there, and whether the key was changed. */
export interface Position {
  readonly graph: Graph
  readonly node: string
  readonly key: AnySerde | undefined
  readonly value: AnySerde | undefined
  /** True after an operation that may have changed the key: what groups or joins must repartition first. */
  readonly rekeyed: boolean
}

/** Where a table stands, and the store that keeps it, if there is one. */
export interface TablePosition {
  readonly at: Position
  readonly store: string | undefined
}
