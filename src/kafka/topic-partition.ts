/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic-partition`, as Kafka's tools write it: the key of maps by partition. */
export const partitionName = (topic: string, partition: number): string => `${topic}-${partition}`

/** The same of a partition, or of what names one among other things. */
export const nameOfPartition = ({ topic, partition }: TopicPartition): string =>
  partitionName(topic, partition)

/** The partitions grouped by their topic, as most requests want them. */
export const byTopic = <T extends TopicPartition>(
  partitions: Iterable<T>,
): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const each of partitions) {
    const group = groups.get(each.topic)
    if (group === undefined) groups.set(each.topic, [each])
    else group.push(each)
  }
  return groups
}
