import type { Fault } from '../../base/fault.ts'
import { placed } from '../../base/fault.ts'
import { systemClock } from '../../base/system-clock.ts'
import type { Cluster } from '../../kafka/cluster.ts'
import type { FetchPosition } from '../../kafka/fetch/fetch-position.ts'
import type { FetchedBatch } from '../../kafka/fetch/fetched-batch.ts'
import { Fetcher } from '../../kafka/fetcher.ts'
import { listOffsets } from '../../kafka/list-offsets.ts'
import type { OffsetSpec } from '../../kafka/list-offsets.ts'
import { partitionName } from '../../kafka/topic-partition.ts'
import type { EventFields } from '../../runtime/runtime-settings.ts'
import { fieldsOf } from '../../runtime/runtime-settings.ts'
import { StreamRecord } from '../../topic/record.ts'
import { refuseNull } from '../../topic/refuse-null.ts'
import type { Topic } from '../../topic/topic.ts'
import { clientClusterOf } from '../cluster-of.ts'
import { LogLimit } from '../log-limit.ts'
import { standardErrorLogger } from '../logger.ts'
import type { Settings } from '../settings.ts'
import type { ObserveOptions } from './observe-options.ts'
import { offsetMissing, partitionMissing } from './observe-options.ts'

/** What is observed: the contract of a topic is enough. */
export type ObservedContract<K, V> = Pick<Topic<K, V>, 'name' | 'key' | 'value'>

/**
 * Reads a topic outside a topology, with connections of its own, which `close` ends. Batches are fetched ahead up to
 * `inputBufferMaxBytes`; beyond that, nothing is fetched until the next batch is taken. A record that cannot be read
 * throws its fault, with topic, partition and offset.
 */
export class TopicReader<K, V> {
  readonly #topic: ObservedContract<K, V>
  readonly #options: ObserveOptions
  readonly #settings: Settings
  readonly #cluster: Cluster
  readonly #fetcher: Fetcher
  readonly #warnings = new LogLimit()
  /** Where each partition must come to, while reading ends there. */
  readonly #ends = new Map<string, number>()
  #partitions = 0
  #isClosed = false
  #lookedMs = systemClock.monotonicMs()

  constructor(settings: Settings, topic: ObservedContract<K, V>, options: ObserveOptions) {
    this.#settings = settings
    this.#topic = topic
    this.#options = options
    const { inputBufferMaxBytes, checkCrcs } = settings
    this.#cluster = clientClusterOf(settings)
    this.#fetcher = new Fetcher({
      cluster: this.#cluster,
      isolation: this.#isolation,
      maxBufferedBytes: inputBufferMaxBytes,
      checkCrcs,
      onRetry: (fault) => this.#warn(fault),
    })
  }

  /** Batches in the order of each partition; returns at the ends, where reading ends there, or once it is closed. */
  async *batches(): AsyncGenerator<Iterable<StreamRecord<K, V>>, void> {
    try {
      this.#fetcher.assign(await this.#positions())
      while (!this.#isClosed && !this.#isAtEnds) {
        for (const batch of await this.#fetcher.poll(this.#settings.fetchMaxWaitMs)) {
          yield this.#records(batch)
          this.#reached(batch)
        }
        await this.#lookForPartitions()
      }
    } catch (error) {
      if (!this.#isClosed) throw error
    } finally {
      await this.close()
    }
  }

  /** Ends reading and closes the connections. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#warnings.flush()
    this.#fetcher.close()
    await this.#cluster.transport.close()
  }

  get #isolation(): NonNullable<ObserveOptions['isolation']> {
    return this.#options.isolation ?? 'read_committed'
  }

  get #isAtEnds(): boolean {
    return this.#options.until === 'end' && this.#ends.size === 0
  }

  async #positions(): Promise<readonly FetchPosition[]> {
    const { name: topic } = this.#topic
    this.#partitions = (await this.#cluster.topic(topic)).partitions.length
    const positions = await this.#startsOf(this.#options.from)
    if (this.#options.until !== 'end') return positions
    const [starts, ends] = await this.#bounds(positions.map(({ partition }) => partition))
    return positions.map(({ partition, offset }) => {
      const name = partitionName(topic, partition)
      const endOffset = ends.get(name) ?? 0
      const startOffset =
        typeof offset === 'number' ? offset : offset === 'latest' ? endOffset : starts.get(name)
      if ((startOffset ?? 0) < endOffset) this.#ends.set(name, endOffset)
      return { topic, partition, offset: startOffset }
    })
  }

  async #startsOf(from: ObserveOptions['from']): Promise<readonly FetchPosition[]> {
    const { name: topic } = this.#topic
    const all = Array.from({ length: this.#partitions }, (_, partition) => partition)
    if (from === 'beginning') return all.map((partition) => ({ topic, partition, offset: 'earliest' }))
    if (from === 'latest') return this.#at(all, 'latest')
    if (from instanceof Date) return this.#at(all, { timestamp: from.getTime() })
    const offsets = Object.entries(from).map(([partition, offset]) => ({
      topic,
      partition: Number(partition),
      offset,
    }))
    for (const { partition } of offsets)
      if (partition >= this.#partitions) throw partitionMissing(topic, partition, this.#partitions)
    const [starts, ends] = await this.#bounds(offsets.map(({ partition }) => partition))
    for (const each of offsets) {
      const name = partitionName(topic, each.partition)
      const [startOffset = 0, endOffset = 0] = [starts.get(name), ends.get(name)]
      if (each.offset < startOffset || each.offset > endOffset)
        throw offsetMissing(each, startOffset, endOffset)
    }
    return offsets
  }

  /** Of a partition whose records are all older, reading begins at the end. */
  async #at(partitions: readonly number[], at: OffsetSpec): Promise<readonly FetchPosition[]> {
    const { name: topic } = this.#topic
    const found = await this.#offsetsAt(partitions, at)
    return partitions.map((partition) => {
      const offset = found.get(partitionName(topic, partition)) ?? -1
      return { topic, partition, offset: offset < 0 ? 'latest' : offset }
    })
  }

  #bounds(
    partitions: readonly number[],
  ): Promise<readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>]> {
    return Promise.all([this.#offsetsAt(partitions, 'earliest'), this.#offsetsAt(partitions, 'latest')])
  }

  async #offsetsAt(partitions: readonly number[], at: OffsetSpec): Promise<ReadonlyMap<string, number>> {
    const queries = partitions.map((partition) => ({ topic: this.#topic.name, partition, at }))
    const found = await listOffsets(this.#cluster, queries, this.#isolation)
    return new Map(Array.from(found, ([name, { offset }]) => [name, offset]))
  }

  *#records({ columns, partition }: FetchedBatch): Generator<StreamRecord<K, V>, void> {
    const { name: topic, key, value } = this.#topic
    const batch = { columns, key, value, topic, partition }
    const allowed = { topic, nullKeys: key.nullable, nullValues: value.nullable }
    for (let row = 0; row < columns.count && !this.#isClosed; row++) {
      const record = StreamRecord.read(batch, row, columns.timestamps[row] as number)
      try {
        refuseNull(allowed, record)
        decode(record)
      } catch (error) {
        throw placed(error, { topic, partition, offset: columns.offsets[row] })
      }
      yield record as StreamRecord<K, V>
    }
  }

  #reached({ partition, nextOffset }: FetchedBatch): void {
    const name = partitionName(this.#topic.name, partition)
    if (nextOffset >= (this.#ends.get(name) ?? Infinity)) this.#ends.delete(name)
  }

  /** Partitions that are added later are read from their beginnings. */
  async #lookForPartitions(): Promise<void> {
    const { from, until } = this.#options
    const nowMs = systemClock.monotonicMs()
    const isDue = nowMs - this.#lookedMs >= this.#settings.metadataMaxAgeMs
    if (!isDue || until === 'end' || !(typeof from === 'string' || from instanceof Date)) return
    this.#lookedMs = nowMs
    const { name: topic } = this.#topic
    const known = this.#partitions
    this.#partitions = (await this.#cluster.refresh(topic)).partitions.length
    const added = Array.from({ length: Math.max(0, this.#partitions - known) }, (_, index) => known + index)
    if (added.length > 0)
      this.#fetcher.add(added.map((partition) => ({ topic, partition, offset: 'earliest' })))
  }

  #warn(fault: Fault): void {
    const report = this.#options.onWarning ?? defaultWarning
    const fields: EventFields = { topic: this.#topic.name, ...fieldsOf(fault) }
    this.#warnings.run(
      fault.code,
      () => report(fault.message, fields),
      (count) => report(`${fault.message} (and ${count} more of this kind)`, fields),
    )
  }
}

const defaultWarning = (message: string, fields: EventFields): void =>
  standardErrorLogger().warn({ application: 'observe', ...fields }, message)

/** At once: what an observer's callback throws would end the process. */
const decode = ({ key, value, headers }: StreamRecord<unknown, unknown>): unknown => [key, value, headers]
