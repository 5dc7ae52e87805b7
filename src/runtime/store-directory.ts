import type { Bytes } from '../base/bytes.ts'
import { nearest } from '../base/nearest.ts'
import { Fault } from '../base/fault.ts'
import { partitionForKey } from '../topic/murmur2.ts'
import type { Serde } from '../topic/serde.ts'
import { serialized } from '../topic/serde.ts'
import type { Windowed } from '../topic/windowed.ts'
import { innerSerdeOf } from '../topic/windowed.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import { subTopologiesOf } from '../topology/sub-topologies.ts'
import type { Topology } from '../topology/topology.ts'
import { storesOf } from '../topology/topology.ts'
import type { QueryEndpoint } from './application-metadata.ts'
import type { TaskId } from './assign-tasks.ts'

/** Who has one partition of a store. */
export interface StoreOwners {
  readonly partition: number
  /** `host:port` of the process whose task writes it; undefined while it moves, or where that process names none. */
  readonly active: string | undefined
  /** Of the processes that keep a copy. */
  readonly standbys: readonly string[]
}

/** A store as the directory knows it. */
export interface StoreListing {
  readonly definition: StoreDefinition
  /** One for each task of its sub-topology; 1 for a global table, which every process has whole. */
  readonly partitions: number
  readonly isGlobal: boolean
}

/**
 * The stores of an application that may be asked, how each is cut into partitions, and who has which. Partitions are
 * those of the tasks, which every member works out alike; owners from the last assignment.
 */
export class StoreDirectory {
  /** How many tasks each sub-topology has. */
  readonly taskCounts: readonly number[]
  readonly #listings: ReadonlyMap<string, StoreListing>
  readonly #subTopologies: ReadonlyMap<string, number>
  readonly #endpoints: () => readonly QueryEndpoint[]

  constructor(topology: Topology, taskCounts: readonly number[], endpoints: () => readonly QueryEndpoint[]) {
    this.taskCounts = taskCounts
    this.#endpoints = endpoints
    this.#subTopologies = new Map(
      subTopologiesOf(topology).flatMap(({ index, stores }) =>
        stores.map(({ name }) => [name, index] as const),
      ),
    )
    const listings = queryableStoresOf(topology).map((definition): StoreListing => {
      const index = this.#subTopologies.get(definition.name)
      if (index === undefined) return { definition, partitions: 1, isGlobal: true }
      return { definition, partitions: taskCounts[index] as number, isGlobal: false }
    })
    this.#listings = new Map(listings.map((each) => [each.definition.name, each]))
  }

  get stores(): readonly StoreListing[] {
    return [...this.#listings.values()]
  }

  /** A store by name; one that is not there is refused with the nearest name. */
  store(name: string): StoreListing {
    const listing = this.#listings.get(name)
    if (listing === undefined) throw unknownStore(name, [...this.#listings.keys()])
    return listing
  }

  /** Where a key lies, as the producers partition: by the murmur2 of its bytes, a windowed key by the key inside. */
  partitionOf(store: string, key: unknown): number {
    const { definition, partitions, isGlobal } = this.store(store)
    return isGlobal ? 0 : partitionForKey(partitionedBytesOf(definition, key), partitions)
  }

  /** Who has a partition; of a global table, which everybody has, all are active and the first is named. */
  ownersOf(store: string, partition: number): StoreOwners {
    const endpoints = this.#endpoints()
    if (this.store(store).isGlobal)
      return { partition, active: endpoints[0]?.endpoint, standbys: endpoints.slice(1).map(nameOf) }
    const task = this.taskOf(store, partition) as TaskId
    return {
      partition,
      active: endpoints.find(({ activeTasks }) => activeTasks.includes(task))?.endpoint,
      standbys: endpoints.filter(({ standbyTasks }) => standbyTasks.includes(task)).map(nameOf),
    }
  }

  /** The task that has a partition of a store; undefined for a global table, which is no task's. */
  taskOf(store: string, partition: number): TaskId | undefined {
    const index = this.#subTopologies.get(store)
    return index === undefined ? undefined : `${index}_${partition}`
  }
}

const nameOf = ({ endpoint }: QueryEndpoint): string => endpoint

/** All stores but what joins and suppressions keep for themselves, which are internal formats. */
export const queryableStoresOf = (topology: Topology): readonly StoreDefinition[] => {
  const inside = new Set(
    topology.nodes
      .filter(({ kind }) => kind === 'streamStreamJoin' || kind === 'suppress' || kind === 'foreignKeyStore')
      .flatMap(storesOf),
  )
  return topology.stores.filter(({ name }) => !inside.has(name))
}

const partitionedBytesOf = ({ key: serde }: StoreDefinition, key: unknown): Bytes => {
  const inner = innerSerdeOf(serde)
  return inner === undefined
    ? serialized(serde as unknown as Serde<unknown>, key as never)
    : serialized(inner, (key as Windowed<unknown>).key as never)
}

/** Refuses a store that is not there, with the nearest name. */
export const unknownStore = (name: string, names: readonly string[]): Fault => {
  const near = nearest(name, names)
  return new Fault({
    code: 'STORE_UNKNOWN',
    actor: 'author',
    message: `there is no store '${name}' that can be asked`,
    remedy:
      near === undefined
        ? `the application has ${names.join(', ') || 'no stores'}`
        : `did you mean '${near}'?`,
  })
}
