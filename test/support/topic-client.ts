import type { OutgoingRecord } from '../../src/app/observe/topic-publisher.ts'
import type { TopicClient as Client } from '../../src/app/topic-client.ts'
import { connect } from '../../src/app/topic-client.ts'
import type { Bytes } from '../../src/base/bytes.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import { Admin } from '../../src/kafka/admin.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import { Fetcher } from '../../src/kafka/fetcher.ts'
import type { IsolationLevel } from '../../src/kafka/list-offsets.ts'
import { partitionName } from '../../src/kafka/topic-partition.ts'
import { TcpTransport } from '../../src/kafka/connection/tcp-transport.ts'
import type { Headers } from '../../src/topic/headers.ts'
import { decodeHeaders } from '../../src/topic/record-columns.ts'
import { deserializeAll } from '../../src/topic/serde.ts'
import type { Topic } from '../../src/topic/topic.ts'

/** A record as a test reads it from a broker. */
export interface ReadRecord<K, V> {
  readonly key: K
  readonly value: V | null
  readonly timestamp: number
  readonly headers: Headers
  readonly partition: number
  readonly offset: number
}

/**
 * What tests do with topics beside the application under test: make them and write to them as a user's program does, and
 * read what is committed. Closed with `await using`.
 */
export class TopicClient {
  readonly #transport: TcpTransport
  readonly #cluster: Cluster
  readonly #client: Client
  readonly admin: Admin

  constructor(brokers: string) {
    this.#transport = new TcpTransport({ brokers, clientId: 'test' })
    this.#cluster = new Cluster({ transport: this.#transport, clock: systemClock })
    this.#client = connect({ bootstrapServers: brokers, clientId: 'test' })
    this.admin = new Admin(this.#cluster)
  }

  async create(
    ...topics: readonly { readonly name: string; readonly partitions?: number | undefined }[]
  ): Promise<void> {
    await this.#client.createTopics(topics.map(({ name, partitions = 1 }) => ({ name, partitions })))
  }

  /** Writes records and waits until the broker has them. */
  write<K, V>(topic: Topic<K, V>, records: readonly OutgoingRecord<K, V>[]): Promise<void> {
    return this.#client.write(topic, records)
  }

  writeBytes(topic: string, records: readonly OutgoingRecord<Bytes, Bytes>[]): Promise<void> {
    return this.#client.writeBytes(topic, records)
  }

  /** Everything that the topic holds now, by partition and offset; what is committed alone unless told otherwise. */
  async readAll<K, V>(
    topic: Pick<Topic<K, V>, 'name' | 'key' | 'value'>,
    isolation: IsolationLevel = 'read_committed',
  ): Promise<readonly ReadRecord<K, V>[]> {
    const { partitions } = await this.#cluster.refresh(topic.name)
    const places = partitions.map(({ partition }) => ({ topic: topic.name, partition }))
    const ends = await this.admin.listOffsets(
      places.map((each) => ({ ...each, at: 'latest' as const })),
      isolation,
    )
    const starts = await this.admin.listOffsets(places.map((each) => ({ ...each, at: 'earliest' as const })))
    const positions = places.map((each) => ({ ...each, offset: starts.get(nameOf(each))?.offset ?? 0 }))
    const pending = new Set(
      positions.filter((each) => each.offset < (ends.get(nameOf(each))?.offset ?? 0)).map(nameOf),
    )
    const fetcher = new Fetcher({
      cluster: this.#cluster,
      isolation,
      name: crypto.randomUUID(),
    })
    fetcher.assign(positions)
    const records: ReadRecord<K, V>[] = []
    while (pending.size > 0)
      for (const { partition, columns, nextOffset } of await fetcher.poll(500)) {
        for (let row = 0; row < columns.count; row++) {
          const slice = (start: number, end: number): Uint8Array | null =>
            start < 0 ? null : columns.buffer.subarray(start, end)
          const key = slice(columns.keyStarts[row] as number, columns.keyEnds[row] as number)
          const value = slice(columns.valueStarts[row] as number, columns.valueEnds[row] as number)
          records.push({
            key: (key === null ? null : deserializeAll(topic.key, key)) as K,
            value: value === null ? null : deserializeAll(topic.value, value),
            timestamp: columns.timestamps[row] as number,
            headers: decodeHeaders(columns, row),
            partition,
            offset: columns.offsets[row] as number,
          })
        }
        const place = partitionName(topic.name, partition)
        if (nextOffset >= (ends.get(place)?.offset ?? 0)) pending.delete(place)
      }
    fetcher.close()
    return records.sort((left, right) => left.partition - right.partition || left.offset - right.offset)
  }

  /** Reads again and again until what is there satisfies `isEnough`; rejects with what was there when patience ends. */
  async readUntil<K, V>(
    topic: Pick<Topic<K, V>, 'name' | 'key' | 'value'>,
    isEnough: (records: readonly ReadRecord<K, V>[]) => boolean,
    timeoutMs = 30_000,
  ): Promise<readonly ReadRecord<K, V>[]> {
    const deadlineMs = systemClock.monotonicMs() + timeoutMs
    for (;;) {
      const records = await this.readAll(topic)
      if (isEnough(records)) return records
      if (systemClock.monotonicMs() > deadlineMs)
        throw new Error(
          `${topic.name} does not hold what was waited for, but ${JSON.stringify(
            records.slice(-20).map(({ key, value }) => [key, value]),
          )}`,
        )
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
    await this.#transport.close()
  }
}

const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  partitionName(topic, partition)

/** The latest value by key; deleted keys are left out. */
export const latestByKey = <K, V>(records: readonly ReadRecord<K, V>[]): Map<K, V> => {
  const latest = new Map<K, V>()
  for (const { key, value } of records)
    if (value === null) latest.delete(key)
    else latest.set(key, value)
  return latest
}
