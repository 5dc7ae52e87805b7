import type { Cluster } from '../kafka/cluster.ts'
import { listOffsets } from '../kafka/list-offsets.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import { TombstoneRetention } from './tombstone-retention.ts'

/** A changelog partition as it is now. */
export interface ChangelogNow {
  /** Undefined where the brokers give topics no ids. */
  readonly topicId: string | undefined
  readonly startOffset: number
  readonly endOffset: number
  /** How long a deletion can be read at least after it was written. */
  readonly tombstoneRetentionMs: number
}

/** Asks the brokers about changelog partitions. */
export class Changelogs {
  readonly #cluster: Cluster
  readonly #retention: TombstoneRetention

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#retention = new TombstoneRetention(cluster)
  }

  /** By partition name. */
  async at(places: readonly TopicPartition[]): Promise<ReadonlyMap<string, ChangelogNow>> {
    const topics = new Map(
      await Promise.all([...new Set(places.map(({ topic }) => topic))].map((topic) => this.#topic(topic))),
    )
    const [starts, ends] = await Promise.all([this.#list(places, 'earliest'), this.#list(places, 'latest')])
    return new Map(
      places.map(({ topic, partition }) => {
        const place = partitionName(topic, partition)
        const startOffset = starts.get(place)?.offset ?? 0
        const endOffset = ends.get(place)?.offset ?? 0
        return [place, { ...(topics.get(topic) as TopicNow), startOffset, endOffset }]
      }),
    )
  }

  /** What is known of a topic may be from before it was created again, so it is asked for. */
  async #topic(topic: string): Promise<readonly [string, TopicNow]> {
    const [{ id }, tombstoneRetentionMs] = await Promise.all([
      this.#cluster.refresh(topic),
      this.#retention.of(topic),
    ])
    return [topic, { topicId: withoutZeros(id), tombstoneRetentionMs }]
  }

  #list(places: readonly TopicPartition[], at: 'earliest' | 'latest'): ReturnType<typeof listOffsets> {
    return listOffsets(
      this.#cluster,
      places.map(({ topic, partition }) => ({ topic, partition, at })),
    )
  }
}

type TopicNow = Pick<ChangelogNow, 'topicId' | 'tombstoneRetentionMs'>

/** Brokers before 2.8 answer with zeros. */
const withoutZeros = (id: string): string | undefined => (/^[0-]*$/.test(id) ? undefined : id)
