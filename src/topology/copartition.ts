import type { NodeKind, NodeOf, RepartitionNode, TopologyNode } from './node.ts'
import type { Topology } from './topology.ts'

/**
 * The inputs of a join must be partitioned alike, or equal keys would meet different tasks. A group holds every topic
 * whose records come together in some join: topics of the world, and repartition topics, which can be cut to fit.
 */
export interface CopartitionGroup {
  /** The node that brings them together, the first of several. */
  readonly node: string
  readonly topics: ReadonlySet<string>
  /** Sources whose topics are found by name while the application runs. */
  readonly patterns: ReadonlySet<RegExp>
  readonly repartitions: ReadonlySet<RepartitionNode>
}

/**
 * The groups of topics that must have as many partitions as each other. The parts of a cogroup are nodes of their own
 * that share a store.
 */
export const copartitionGroupsOf = (topology: Topology): readonly CopartitionGroup[] => {
  const nodes = new Map(topology.nodes.map((node) => [node.name, node]))
  const groups: Group[] = []
  const add = (name: string, collectInto: (group: Group) => void): void => {
    const group: Group = { node: name, topics: new Set(), patterns: new Set(), repartitions: new Set() }
    collectInto(group)
    if (group.patterns.size > 0 || group.topics.size + group.repartitions.size > 1) groups.push(group)
  }
  for (const node of topology.nodes)
    if (joins(node))
      add(node.name, (group) => {
        for (const parent of node.from) collect(nodes, parent, group)
      })
  for (const parts of cogroupsOf(topology))
    add((parts[0] as CogroupPart).name, (group) => {
      for (const { from } of parts) for (const parent of from) collectPart(nodes, parent, group)
    })
  return merged(groups)
}

type CogroupPart = NodeOf<'aggregate' | 'windowAggregate' | 'slidingAggregate' | 'sessionAggregate'>

/** The parts of each cogroup, by their common store. */
const cogroupsOf = ({ nodes }: Topology): readonly (readonly CogroupPart[])[] => {
  const parts = nodes.filter((node): node is CogroupPart => 'verb' in node && node.verb === 'cogroup')
  return [...Map.groupBy(parts, ({ store }) => store).values()]
}

interface Group extends CopartitionGroup {
  readonly topics: Set<string>
  readonly patterns: Set<RegExp>
  readonly repartitions: Set<RepartitionNode>
}

/** A saga meets its start and its replies by key, as a join does. */
const joins = (node: TopologyNode): boolean =>
  joinKinds.has(node.kind) || (node.kind === 'process' && node.verb === 'saga')

const joinKinds: ReadonlySet<NodeKind> = new Set([
  'streamTableJoin',
  'streamStreamJoin',
  'tableTableJoin',
  'foreignKeyRespond',
  'foreignKeyJoin',
])

/** Adds the topics whose records reach a node without passing another topic. */
const collect = (nodes: ReadonlyMap<string, TopologyNode>, name: string, group: Group): void => {
  const node = nodes.get(name)
  if (node === undefined) return
  if (node.kind === 'repartition') group.repartitions.add(node)
  else if (node.kind === 'tableSource') group.topics.add(node.topic.name)
  else if (node.kind === 'source') {
    if (node.topics instanceof RegExp) group.patterns.add(node.topics)
    else for (const { name: topic } of node.topics) group.topics.add(topic)
  } else {
    const parents = node.kind === 'streamGlobalTableJoin' ? node.from.slice(0, 1) : node.from
    for (const parent of parents) collect(nodes, parent, group)
  }
}

/**
 * An input of a cogroup. As in Kafka Streams, the topics above a grouping that repartitions must be co-partitioned too,
 * as that topic takes its size from them; a grouping with `partitions` has a size of its own.
 */
const collectPart = (nodes: ReadonlyMap<string, TopologyNode>, name: string, group: Group): void => {
  collect(nodes, name, group)
  const node = nodes.get(name)
  if (node?.kind !== 'repartition' || node.verb !== 'groupBy' || node.partitions !== undefined) return
  for (const parent of node.from) collect(nodes, parent, group)
}

/** Groups that share a topic are one. */
const merged = (groups: readonly Group[]): readonly CopartitionGroup[] => {
  const result: Group[] = []
  for (const group of groups) {
    const overlapping = result.filter((known) => overlap(known, group))
    const [first, ...rest] = overlapping
    if (first === undefined) {
      result.push(group)
      continue
    }
    for (const other of [group, ...rest]) {
      for (const topic of other.topics) first.topics.add(topic)
      for (const pattern of other.patterns) first.patterns.add(pattern)
      for (const repartition of other.repartitions) first.repartitions.add(repartition)
    }
    for (const other of rest) result.splice(result.indexOf(other), 1)
  }
  return result
}

const overlap = (left: CopartitionGroup, right: CopartitionGroup): boolean =>
  [...left.topics].some((topic) => right.topics.has(topic)) ||
  [...left.patterns].some((pattern) => right.patterns.has(pattern)) ||
  [...left.repartitions].some((repartition) => right.repartitions.has(repartition))
