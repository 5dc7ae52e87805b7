import { Fault } from '../../base/fault.ts'
import { checkArgument, checkOptions } from '../../base/options.ts'
import { text } from '../../base/value-kinds.ts'
import type { StoreOwners } from '../../runtime/store-directory.ts'
import { queryableStoresOf, unknownStore } from '../../runtime/store-directory.ts'
import type { ValueAndTimestamp } from '../../state/store.ts'
import type { StoreDefinition } from '../../topology/store-definition.ts'
import type { PageReader, QueryOptions } from './page-reader.ts'
import { queryOptions } from './page-reader.ts'
import { StoreReader } from './store-reader.ts'
import type { KeyValueView, SessionView, VersionedView, WindowView } from './views.ts'
import { keyValueView, sessionView, tableView, versionedView, windowView } from './views.ts'

/** Where a key of a store is. */
export interface KeyMetadata extends StoreOwners {
  /** True where this process has it. */
  readonly isHere: boolean
}

/**
 * Interactive queries: reads of the stores of a running application, from outside its tasks. A view answers for the
 * whole application, whichever process has the key, unless it was made with `scope: 'local'`.
 *
 * @example
 * const counts = application.queries.tableStore<string, number>('orders-by-customer')
 * const ada = await counts.get('ada') // { value: 3, timestamp: … } or null
 * for await (const [customer, { value }] of counts.range('a', 'c')) console.log(customer, value)
 */
export class Queries {
  /** `host:port` where this process serves queries over HTTP; undefined where it does not. */
  readonly address: string | undefined
  /** `host:port` where this process serves health and metrics alone (`healthListen`); undefined where it does not. */
  readonly healthAddress: string | undefined
  readonly #pages: PageReader

  constructor(
    pages: PageReader,
    addresses: { readonly address: string | undefined; readonly healthAddress: string | undefined },
  ) {
    this.#pages = pages
    this.address = addresses.address
    this.healthAddress = addresses.healthAddress
  }

  /** The names and kinds of the stores that can be asked. */
  get stores(): readonly { readonly name: string; readonly kind: StoreKind }[] {
    return queryableStoresOf(this.#pages.host.topology).map((definition) => ({
      name: definition.name,
      kind: kindOf(definition),
    }))
  }

  /** The rows of a table or of an aggregate, with their times. */
  tableStore<K, V>(name: string, options: QueryOptions = {}): KeyValueView<K, ValueAndTimestamp<V>> {
    return tableView(this.#reader<K, V>(name, 'table', options))
  }

  /** A store of your own without times, as `keyValueStore` declares it. */
  keyValueStore<K, V>(name: string, options: QueryOptions = {}): KeyValueView<K, V> {
    return keyValueView(this.#reader<K, V>(name, 'keyValue', options))
  }

  /** Every version of each row, as long as it is kept. */
  versionedStore<K, V>(name: string, options: QueryOptions = {}): VersionedView<K, V> {
    return versionedView(this.#reader<K, V>(name, 'versioned', options))
  }

  /**
   * The windows of each key.
   *
   * @example
   * const clicks = application.queries.windowStore<string, number>('clicks-by-minute')
   * for await (const { startMs, value } of clicks.fetch('ada', fromMs, toMs)) console.log(startMs, value)
   */
  windowStore<K, V>(name: string, options: QueryOptions = {}): WindowView<K, V> {
    return windowView(this.#reader<K, V>(name, 'window', options))
  }

  /** The sessions of each key. */
  sessionStore<K, V>(name: string, options: QueryOptions = {}): SessionView<K, V> {
    return sessionView(this.#reader<K, V>(name, 'session', options))
  }

  /**
   * Which partition of a store a key lies in and which process has it, as of the last rebalance.
   *
   * @example
   * application.queries.metadataForKey('orders-by-customer', 'ada').active // 'orders-2:8080'
   */
  metadataForKey(store: string, key: unknown): KeyMetadata {
    const { directory } = this.#pages
    checkArgument('metadataForKey', store, text)
    const partition = directory.partitionOf(store, key)
    return { ...directory.ownersOf(store, partition), isHere: this.#pages.isHere(store, partition) }
  }

  /** The same for every partition of a store. */
  metadataForStore(store: string): readonly KeyMetadata[] {
    const { directory } = this.#pages
    checkArgument('metadataForStore', store, text)
    return this.#pages.partitionsOf(store, {}).map((partition) => ({
      ...directory.ownersOf(store, partition),
      isHere: this.#pages.isHere(store, partition),
    }))
  }

  #reader<K, V>(name: string, kind: StoreKind, options: QueryOptions): StoreReader<K, V> {
    checkArgument(`${kind}Store`, name, text)
    checkOptions(`${kind}Store '${name}'`, options, queryOptions)
    const stores = queryableStoresOf(this.#pages.host.topology)
    const definition = stores.find((each) => each.name === name)
    if (definition === undefined)
      throw unknownStore(
        name,
        stores.map((each) => each.name),
      )
    if (kindOf(definition) !== kind) throw otherKind(name, kindOf(definition), kind)
    return new StoreReader<K, V>(this.#pages, definition, options)
  }
}

/** The kinds as the test driver names them too; a table's rows have times, those of a plain key-value store do not. */
export type StoreKind = 'table' | 'keyValue' | 'versioned' | 'window' | 'joinWindow' | 'session'

export const kindOf = (definition: StoreDefinition): StoreKind =>
  definition.kind === 'keyValue' && definition.timestamped ? 'table' : definition.kind

const otherKind = (store: string, is: StoreKind, asked: StoreKind): Fault =>
  new Fault({
    code: 'STORE_KIND',
    actor: 'author',
    message: `store '${store}' is no ${asked} store`,
    remedy: `ask it by ${is}Store('${store}')`,
    place: { store },
  })
