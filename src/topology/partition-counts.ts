import { Fault } from '../base/fault.ts'
import { largestOf } from '../base/extremes.ts'
import type { CopartitionGroup } from './copartition.ts'
import { copartitionGroupsOf } from './copartition.ts'
import type { RepartitionNode } from './node.ts'
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
 * Works out task counts and the partition counts of repartition topics (Kafka Streams' `RepartitionTopics` and
 * `CopartitionedTopicsEnforcer`): what the author gave; else, where it is joined with a topic of the world, as many as
 * that has; else the largest input of the sub-topology that writes it, or of those that write what it is joined with.
 * `countOf` knows the source topics; `matching` lists the topics a pattern has found.
 */
export const partitionCountsOf = (
  topology: Topology,
  countOf: (topic: string) => number,
  matching: (pattern: RegExp) => readonly string[] = () => [],
): PartitionCounts => {
  const subTopologies = subTopologiesOf(topology)
  const groups = copartitionGroupsOf(topology)
  const fixed = fixedCounts(groups, countOf, matching)
  const repartitions = new Map<string, number>()
  const largestInput = (subTopology: SubTopology): number | undefined => {
    const topics = externalTopicsOf(subTopology, matching).map(countOf)
    return largest([...topics, ...subTopology.reads.map(({ topic }) => repartitions.get(topic))])
  }
  const writers = subTopologies.flatMap((subTopology) =>
    subTopology.writes.map((node) => ({ node, subTopology })),
  )
  const written = (node: RepartitionNode): number | undefined =>
    largest(
      writers.filter((writer) => writer.node === node).map(({ subTopology }) => largestInput(subTopology)),
    )
  // Counts only grow, and never beyond the largest topic there is, so this ends.
  for (let changed = true; changed;) {
    changed = false
    for (const { node } of writers) {
      const together = groups.find((group) => group.repartitions.has(node))?.repartitions ?? [node]
      const count = node.partitions ?? fixed.get(node) ?? largest([...together].map(written))
      if (count === undefined || count === repartitions.get(node.topic)) continue
      repartitions.set(node.topic, count)
      changed = true
    }
  }
  const unknown = writers.find(({ node }) => !repartitions.has(node.topic))
  if (unknown !== undefined) throw circularRepartition(unknown.node.name)
  return { tasks: subTopologies.map((subTopology) => largestInput(subTopology) ?? 1), repartitions }
}

const largest = (counts: readonly (number | undefined)[]): number | undefined => {
  const known = counts.filter((count) => count !== undefined)
  return known.length === 0 ? undefined : largestOf(known)
}

/** The counts that a topic of the world, or the author, has settled for a whole group. */
const fixedCounts = (
  groups: readonly CopartitionGroup[],
  countOf: (topic: string) => number,
  matching: (pattern: RegExp) => readonly string[],
): ReadonlyMap<RepartitionNode, number> => {
  const fixed = new Map<RepartitionNode, number>()
  for (const { node, topics, patterns, repartitions } of groups) {
    const known = [...topics, ...[...patterns].flatMap(matching)]
    const settled = new Map<string, number>(known.map((topic) => [topic, countOf(topic)]))
    for (const { topic, partitions } of repartitions)
      if (partitions !== undefined) settled.set(topic, partitions)
    const [count, ...others] = new Set(settled.values())
    if (others.length > 0) throw copartitionMismatch(node, settled)
    if (count !== undefined) for (const repartition of repartitions) fixed.set(repartition, count)
  }
  return fixed
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

const copartitionMismatch = (node: string, counts: ReadonlyMap<string, number>): Fault =>
  new Fault({
    code: 'COPARTITION_MISMATCH',
    actor: 'author',
    message: `topics that are joined or cogrouped must have as many partitions as each other: ${[...counts]
      .map(([topic, count]) => `${topic} has ${count}`)
      .join(', ')}`,
    remedy: 'write one of them through `repartition` with `partitions`, or read the table as a global one',
    place: { node },
  })
