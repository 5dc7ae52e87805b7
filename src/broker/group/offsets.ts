/** The committed offsets of one group, and those that wait for the end of a transaction. */
export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

/** A committed offset with where it belongs. */
export interface PlacedOffset extends CommittedOffset {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

export class OffsetTable {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  set(topic: string, partition: number, committed: CommittedOffset): void {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) this.#topics.set(topic, (partitions = new Map()))
    partitions.set(partition, committed)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) this.#topics.delete(topic)
  }

  *entries(groupId: string): Generator<PlacedOffset> {
    for (const [topic, partitions] of this.#topics) {
      for (const [partition, committed] of partitions) yield { groupId, topic, partition, ...committed }
    }
  }

  /** Partition numbers by topic. */
  partitions(): { name: string; partitionIndexes: number[] }[] {
    return Array.from(this.#topics, ([name, partitions]) => ({
      name,
      partitionIndexes: [...partitions.keys()],
    }))
  }
}
