import type { Topology } from 'millrace'

export interface TopicToMake {
  readonly name: string
  readonly partitions: number | undefined
}

/** The topics that topologies read and write, as their contracts say they are to be made, and others by name. */
export const topicsOf = (
  topologies: readonly Topology[],
  others: readonly string[],
): readonly TopicToMake[] => {
  const topics = new Map<string, TopicToMake>(others.map((name) => [name, { name, partitions: 1 }]))
  for (const { nodes } of topologies)
    for (const node of nodes) {
      const named =
        node.kind === 'source' && !(node.topics instanceof RegExp)
          ? node.topics
          : node.kind === 'tableSource'
            ? [node.topic]
            : node.kind === 'sink' && typeof node.topic !== 'function'
              ? [node.topic]
              : []
      for (const topic of named)
        topics.set(topic.name, {
          name: topic.name,
          partitions: 'partitions' in topic ? topic.partitions : undefined,
        })
    }
  return [...topics.values()]
}
