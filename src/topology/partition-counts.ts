import { Fault } from '../base/fault.ts'
import type { SubTopology } from './sub-topologies.ts'
import { subTopologiesOf } from './sub-topologies.ts'
import type { Topology } from './topology.ts'

/** How many partitions everything has, once those of the source topics are known. */
export interface PartitionCounts {
  /** By sub-topology index: as many tasks as the largest of its inputs has partitions. */
  readonly tasks: readonly number[]
  /** By the node's `topic` (without the application's prefix). */
  readonly repartitions: ReadonlyMap<string, number>
}

/**
 * Works out task counts and the partition counts of repartition topics: what the author gave, else the largest input of
 * the sub-topology that writes it, followed upstream (Kafka Streams' `RepartitionTopics`). `countOf` knows the source
 * topics; `matching` lists the topics a pattern has found.
 */
export const partitionCountsOf = (
  topology: Topology,
  countOf: (topic: string) => number,
  matching: (pattern: RegExp) => readonly string[] = () => [],
): PartitionCounts => {
  const subTopologies = subTopologiesOf(topology)
  const repartitions = new Map<string, number>()
  const largestInput = (subTopology: SubTopology): number | undefined => {
    const inputs = [
      ...externalTopicsOf(subTopology, matching).map(countOf),
      ...subTopology.reads.map(({ topic, partitions }) => partitions ?? repartitions.get(topic)),
    ]
    return inputs.includes(undefined) ? undefined : Math.max(1, ...(inputs as number[]))
  }
  const writers = subTopologies.flatMap((subTopology) =>
    subTopology.writes.map((node) => ({ node, subTopology })),
  )
  for (let round = 0; round <= writers.length; round++)
    for (const { node, subTopology } of writers) {
      const count = node.partitions ?? largestInput(subTopology)
      if (count !== undefined) repartitions.set(node.topic, count)
    }
  const unknown = writers.find(({ node }) => !repartitions.has(node.topic))
  if (unknown !== undefined) throw circularRepartition(unknown.node.name)
  return { tasks: subTopologies.map((subTopology) => largestInput(subTopology) ?? 1), repartitions }
}

/** The topics a sub-topology reads that are not its own application's. */
export const externalTopicsOf = (
  { nodes }: Pick<SubTopology, 'nodes'>,
  matching: (pattern: RegExp) => readonly string[] = () => [],
): readonly string[] =>
  nodes.flatMap((node) => {
    if (node.kind === 'tableSource') return [node.topic.name]
    if (node.kind !== 'source') return []
    return node.topics instanceof RegExp ? matching(node.topics) : node.topics.map(({ name }) => name)
  })

const circularRepartition = (node: string): Fault =>
  new Fault({
    code: 'REPARTITION_CIRCULAR',
    actor: 'author',
    message: 'the partition count of a repartition topic depends on itself',
    remedy: 'give the repartition its `partitions`',
    place: { node },
  })
