import { isLegalTopicName } from '../topic/topic.ts'
import { copartitionGroupsOf } from './copartition.ts'
import { sinkTopicOf } from './describe.ts'
import type { NodeOf, TopologyNode } from './node.ts'
import type { SourceTopic } from './node-topic.ts'
import type { TopologyProblem } from './problem.ts'
import { nodeError } from './problem.ts'
import type { Topology } from './topology.ts'

/** What is wrong with the topics of a topology: written where they must not be, read twice, or going in a circle. */
export const topicProblems = (topology: Topology): readonly TopologyProblem[] => [
  ...illegalNames(topology),
  ...sharedTopics(topology),
  ...matchedTopics(topology),
  ...internalSinks(topology),
  ...copartitionProblems(topology),
  ...loops(topology),
]

/** The topics a node commits offsets for; global tables have readers of their own. */
export const readTopics = (node: TopologyNode): readonly string[] => {
  if (node.kind === 'tableSource') return node.global ? [] : [node.topic.name]
  if (node.kind !== 'source' || node.topics instanceof RegExp) return []
  return node.topics.map(({ name }) => name)
}

export const isSink = (node: TopologyNode): node is NodeOf<'sink'> => node.kind === 'sink'

/** An internal topic that no broker would create. */
const illegalNames = ({ name: application, nodes }: Topology): readonly TopologyProblem[] =>
  nodes
    .filter((node) => node.kind === 'repartition')
    .filter(({ topic }) => !isLegalTopicName(`${application}-${topic}`))
    .map(({ name, topic }) =>
      nodeError(
        'REPARTITION_NAME_ILLEGAL',
        name,
        `its repartition topic cannot be called '${application}-${topic}'`,
        'name the step with letters, digits, dot, underscore and hyphen; the topic may have 249 of them',
      ),
    )

/** The topics that a node reads as a source, by name. */
const sourceNames = (node: TopologyNode): readonly string[] => sourceTopics(node).map(({ name }) => name)

/** A pattern must not match a topic that another source of the topology reads. */
const matchedTopics = ({ nodes }: Topology): readonly TopologyProblem[] =>
  nodes.flatMap((node) => {
    if (node.kind !== 'source' || !(node.topics instanceof RegExp)) return []
    const pattern = node.topics
    return nodes.flatMap((other) =>
      sourceNames(other)
        .filter((topic) => pattern.test(topic))
        .map((topic) =>
          nodeError(
            'TOPIC_TAKEN',
            node.name,
            `the pattern of '${node.name}' matches the topic '${topic}', which '${other.name}' reads`,
            'leave that topic out of the pattern',
          ),
        ),
    )
  })

/**
 * A topic has one reader in a topology, as it has one committed offset, and an internal topic one writer. A global table
 * shares its topic with no other reader either, as in Kafka Streams.
 */
const sharedTopics = ({ nodes }: Topology): readonly TopologyProblem[] => {
  const owners = new Map<string, string>()
  const claim = (topic: string, node: string, remedy: string): readonly TopologyProblem[] => {
    const owner = owners.get(topic)
    owners.set(topic, owner ?? node)
    if (owner === undefined) return []
    return [nodeError('TOPIC_TAKEN', node, `'${owner}' and '${node}' both read the topic '${topic}'`, remedy)]
  }
  return nodes.flatMap((node) =>
    node.kind === 'repartition'
      ? claim(node.topic, node.name, 'give one of them another name')
      : sourceNames(node).flatMap((topic) =>
          claim(topic, node.name, 'read it once and go on from there: stream.toTable(…) or table.toStream()'),
        ),
  )
}

const internalSinks = ({ name: application, nodes, stores }: Topology): readonly TopologyProblem[] => {
  const internal = new Set([
    ...nodes.flatMap((node) => (node.kind === 'repartition' ? [`${application}-${node.topic}`] : [])),
    ...stores.map(({ name }) => `${application}-${name}-changelog`),
  ])
  return nodes
    .filter(isSink)
    .filter((node) => internal.has(sinkTopicOf(node)))
    .map((node) =>
      nodeError(
        'SINK_INTERNAL_TOPIC',
        node.name,
        `'${node.name}' writes to '${sinkTopicOf(node)}', a topic the application keeps for itself`,
        'write to a topic of another name, or use repartition',
      ),
    )
}

/** What is joined must be partitioned alike; contracts with partition counts are checked before it runs. */
const copartitionProblems = (topology: Topology): readonly TopologyProblem[] => {
  const declared = new Map(
    topology.nodes.flatMap((node) => sourceTopics(node)).map(({ name, partitions }) => [name, partitions]),
  )
  return copartitionGroupsOf(topology).flatMap(({ node, topics, repartitions }) => {
    const counts = new Map<string, number>()
    for (const topic of topics) count(counts, topic, declared.get(topic))
    for (const { topic, partitions } of repartitions) count(counts, topic, partitions)
    if (new Set(counts.values()).size <= 1) return []
    const said = [...counts].map(([topic, partitions]) => `${topic} has ${partitions}`).join(', ')
    return [
      nodeError(
        'COPARTITION_MISMATCH',
        node,
        `'${node}' joins topics of differing partitions: ${said}`,
        'write one of them through a repartition, or read the table as a global one',
      ),
    ]
  })
}

const count = (counts: Map<string, number>, topic: string, partitions: number | undefined): void => {
  if (partitions !== undefined) counts.set(topic, partitions)
}

const sourceTopics = (node: TopologyNode): readonly SourceTopic[] => {
  if (node.kind === 'tableSource') return [node.topic]
  return node.kind === 'source' && !(node.topics instanceof RegExp) ? node.topics : []
}

const loops = ({ nodes }: Topology): readonly TopologyProblem[] => {
  const read = new Set(nodes.flatMap(readTopics))
  return nodes
    .filter(isSink)
    .filter((node) => read.has(sinkTopicOf(node)))
    .map((node) => ({
      severity: 'warning',
      code: 'TOPIC_LOOP',
      node: node.name,
      message: `'${node.name}' writes to '${sinkTopicOf(node)}', which the topology reads: records can come round again`,
      remedy: 'see that they end somewhere, or write to another topic',
    }))
}
