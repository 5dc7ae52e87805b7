import { Fault } from '../base/fault.ts'
import type { StateStore } from '../state/store.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { TestApplication } from './application.ts'
import type { StoreKind, StoreKinds } from './stored-rows.ts'
import { requireKind, rowsIn } from './stored-rows.ts'
import { watchStore } from './watched-store.ts'

interface Found {
  readonly store: StateStore
  readonly definition: StoreDefinition
  readonly partition: number | 'all'
}

/** The stores of all tasks of a driver, by name and partition; those of global tables answer for every partition. */
export class TestStores {
  readonly #applications: readonly TestApplication[]
  #watched = false

  constructor(applications: readonly TestApplication[]) {
    this.#applications = applications
  }

  find(name: string, partition: number): Found {
    const found = this.#named(name).find((each) => each.partition === partition || each.partition === 'all')
    if (found !== undefined) return found
    throw this.#unknown(name, `in partition ${partition}`)
  }

  ofKind<K, V, Kind extends StoreKind>(kind: Kind, name: string, partition: number): StoreKinds<K, V>[Kind] {
    const { store, definition } = this.find(name, partition)
    requireKind(definition, kind)
    return store as unknown as StoreKinds<K, V>[Kind]
  }

  rows(name: string): readonly (readonly [unknown, unknown])[] {
    const found = this.#named(name)
    if (found.length === 0) throw this.#unknown(name, '')
    return found.flatMap(({ store, definition }) => rowsIn(store, definition))
  }

  /** Reports every write from the first call on. */
  watch(stored: (store: string, key: unknown, value: unknown) => void): void {
    if (this.#watched) return
    this.#watched = true
    for (const { store, definition } of this.#all()) watchStore(store, definition, stored)
  }

  #named(name: string): readonly Found[] {
    return this.#all().filter(({ definition }) => definition.name === name)
  }

  #all(): readonly Found[] {
    return this.#applications.flatMap(({ topology, globals, tasks }) =>
      topology.stores.flatMap((definition): readonly Found[] => {
        const global = globals.get(definition.name)
        if (global !== undefined) return [{ store: global, definition, partition: 'all' }]
        return tasks.flatMap(({ stores, partition }) => {
          const store = stores.get(definition.name)
          return store === undefined ? [] : [{ store, definition, partition }]
        })
      }),
    )
  }

  #unknown(name: string, where: string): Fault {
    const names = [...new Set(this.#all().map(({ definition }) => definition.name))]
    return new Fault({
      code: 'STORE_UNKNOWN',
      actor: 'author',
      message: `no topology of this driver has a store '${name}' ${where}`.trimEnd(),
      remedy: `name one of ${names.join(', ') || 'none: there are no stores'}`,
    })
  }
}
