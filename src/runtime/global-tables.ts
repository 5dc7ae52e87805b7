import type { Fault } from '../base/fault.ts'
import { nextIteration } from '../base/next-iteration.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { Fetcher } from '../kafka/fetcher.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { StateStore } from '../state/store.ts'
import { applyGlobalRows } from '../task/global-rows.ts'
import type { GlobalTable } from '../topology/sub-topologies.ts'

type GlobalRowHandler = Parameters<typeof applyGlobalRows>[3]

export interface GlobalTablesOptions {
  readonly cluster: Cluster
  readonly tables: readonly GlobalTable[]
  readonly stores: ReadonlyMap<string, StateStore>
  readonly checkCrcs?: boolean | undefined
  readonly onFailedRow: GlobalRowHandler
  /** Called where a topic is read from its beginning again; rows that it no longer has stay until the next start. */
  readonly onReset: (fault: Fault) => void
}

/**
 * The tables that every task of a process sees whole: each topic is read over all its partitions, to its end before
 * anything is processed, and on from there while the application runs. No group and no changelog: the topic itself is
 * the truth.
 */
export class GlobalTables {
  readonly #cluster: Cluster
  readonly #tables: readonly GlobalTable[]
  readonly #stores: ReadonlyMap<string, StateStore>
  readonly #tablesByTopic = new Map<string, (GlobalTable & { readonly rows: StateStore })[]>()
  readonly #onFailedRow: GlobalRowHandler
  readonly #fetcher: Fetcher
  #following: Promise<void> | undefined
  #closed = false

  constructor({ cluster, tables, stores, checkCrcs, onFailedRow, onReset }: GlobalTablesOptions) {
    this.#onFailedRow = onFailedRow
    this.#cluster = cluster
    this.#tables = tables
    this.#stores = stores
    this.#fetcher = new Fetcher({
      cluster,
      name: 'global',
      offsetReset: 'earliest',
      isolation: 'read_committed',
      checkCrcs,
      onReset,
    })
    for (const table of tables) {
      const { name } = table.source.topic
      const known = this.#tablesByTopic.get(name) ?? []
      known.push({ ...table, rows: stores.get(table.store.name) as StateStore })
      this.#tablesByTopic.set(name, known)
    }
  }

  store(name: string): StateStore | undefined {
    return this.#stores.get(name)
  }

  /** Reads every table to the end of what is committed now (an open transaction is not waited for), then goes on in the background; `onFailure` hears of its end. */
  async start(onFailure: (error: unknown) => void): Promise<void> {
    if (this.#tables.length === 0) return
    const partitions = (
      await Promise.all([...this.#tablesByTopic.keys()].map((topic) => this.#cluster.topic(topic)))
    ).flatMap(({ name, partitions: each }) => each.map(({ partition }) => ({ topic: name, partition })))
    const ends = await listOffsets(
      this.#cluster,
      partitions.map((each) => ({ ...each, at: 'latest' as const })),
      'read_committed',
    )
    const starts = await listOffsets(
      this.#cluster,
      partitions.map((each) => ({ ...each, at: 'earliest' as const })),
    )
    const behind = new Map<string, number>()
    for (const [place, { offset }] of ends)
      if ((starts.get(place)?.offset ?? 0) < offset) behind.set(place, offset)
    this.#fetcher.assign(
      partitions.map((each) => ({
        ...each,
        offset: starts.get(partitionName(each.topic, each.partition))?.offset,
      })),
    )
    while (behind.size > 0 && !this.#closed) await this.#readOnce(behind)
    this.#following = this.#follow().catch(onFailure)
  }

  /** Reads the partitions too that a topic has got meanwhile. */
  follow(sizes: ReadonlyMap<string, number>): void {
    for (const topic of this.#tablesByTopic.keys()) {
      const known = this.#fetcher.assignment.filter((each) => each.topic === topic).length
      const added = Array.from({ length: (sizes.get(topic) ?? 0) - known }, (_, index) => known + index)
      this.#fetcher.add(added.map((partition) => ({ topic, partition, offset: 'earliest' as const })))
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#fetcher.close()
    await this.#following
    for (const store of this.#stores.values()) store.close()
  }

  async #follow(): Promise<void> {
    while (!this.#closed) await this.#readOnce(new Map())
  }

  async #readOnce(behind: Map<string, number>): Promise<void> {
    for (const { topic, partition, columns, nextOffset } of await this.#fetcher.poll(pollWaitMs)) {
      for (const { source, rows } of this.#tablesByTopic.get(topic) ?? [])
        applyGlobalRows(rows, columns, { source, partition }, this.#onFailedRow)
      const place = partitionName(topic, partition)
      if (nextOffset >= (behind.get(place) ?? Infinity)) behind.delete(place)
      await nextIteration()
    }
  }
}

const pollWaitMs = 500
