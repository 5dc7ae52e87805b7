import type { Observable } from 'rxjs'
import type { Bytes } from '../../base/bytes.ts'
import { serialized } from '../../topic/serde.ts'
import type { StreamRecord } from '../../topic/record.ts'
import type { Serde } from '../../topic/serde.ts'
import type { StoreDefinition } from '../../topology/store-definition.ts'
import type { PageRequest, StoreQuery } from '../../state/store-query.ts'
import type { PageReader, QueryOptions } from './page-reader.ts'
import type { ReadRow } from './read-row.ts'
import { readRow } from './read-row.ts'

/**
 * Reads one store, page after page: at most one page of a query is in memory at a time. Nothing is held on to between
 * two calls, so a reader goes on after its store has moved.
 */
export class StoreReader<K, V> {
  readonly #pages: PageReader
  readonly #definition: StoreDefinition
  readonly #options: QueryOptions

  constructor(pages: PageReader, definition: StoreDefinition, options: QueryOptions) {
    this.#pages = pages
    this.#definition = definition
    this.#options = options
  }

  get options(): QueryOptions {
    return this.#options
  }

  keyBytes(key: K): Bytes {
    return serialized(this.#definition.key as unknown as Serde<K>, key as NonNullable<K>)
  }

  /** The only row of a query for one key; null where there is none. */
  async first(key: K, query: StoreQuery): Promise<ReadRow<K, V> | null> {
    const partition = await this.#partitionOf(key)
    const { rows } = await this.#page({ store: this.#definition.name, partition, query, limit: 1 })
    return rows[0] ?? null
  }

  /** The rows of a query for one key. */
  async *ofKey(key: K, query: StoreQuery): AsyncGenerator<ReadRow<K, V>, void> {
    yield* this.#ofPartition(await this.#partitionOf(key), query)
  }

  /** The rows of all partitions, one partition after the other. */
  async *ofAll(query: StoreQuery): AsyncGenerator<ReadRow<K, V>, void> {
    const partitions = await this.#pages.patiently(this.#options, async () =>
      this.#pages.partitionsOf(this.#definition.name, this.#options),
    )
    for (const partition of partitions) yield* this.#ofPartition(partition, query)
  }

  /** What changes, from the changelog. */
  changes(from: 'beginning' | 'latest'): Observable<StreamRecord<K, V | null>> {
    return this.#pages.changesOf(this.#definition, from) as Observable<StreamRecord<K, V | null>>
  }

  #partitionOf(key: K): Promise<number> {
    const { partition } = this.#options
    return this.#pages.patiently(
      this.#options,
      async () => partition ?? this.#pages.directory.partitionOf(this.#definition.name, key),
    )
  }

  async *#ofPartition(partition: number, query: StoreQuery): AsyncGenerator<ReadRow<K, V>, void> {
    const request = { store: this.#definition.name, partition, query, limit: pageRows }
    let page = await this.#page(request)
    yield* page.rows
    while (page.after !== undefined) {
      page = await this.#page({ ...request, after: page.after })
      yield* page.rows
    }
  }

  async #page(
    request: PageRequest,
  ): Promise<{ readonly rows: readonly ReadRow<K, V>[]; readonly after: PageRequest['after'] }> {
    const { rows, after } = await this.#pages.read(request, this.#options)
    return { rows: rows.map((row) => readRow<K, V>(this.#definition, row)), after }
  }
}

const pageRows = 500
