import type { NodeKind, RepartitionNode, TopologyNode } from './node.ts'
import type { Topology } from './topology.ts'

/**
 * The inputs of a join must be partitioned alike, or equal keys would meet different tasks. A group holds every topic
 * whose records come together in some join: topics of the world, and repartition topics, which can be cut to fit.
 */
export interface CopartitionGroup {
  /** The node that brings them together, the first of several. */
  readonly node: string
  readonly topics: ReadonlySet<string>
  readonly repartitions: ReadonlySet<RepartitionNode>
}

/** The groups of topics that must have as many partitions as each other. */
export const copartitionGroupsOf = (topology: Topology): readonly CopartitionGroup[] => {
  const nodes = new Map(topology.nodes.map((node) => [node.name, node]))
  const groups: Group[] = []
  for (const node of topology.nodes) {
    if (!joins(node)) continue
    const group: Group = { node: node.name, topics: new Set(), repartitions: new Set() }
    for (const parent of node.from) collect(nodes, parent, group)
    if (group.topics.size + group.repartitions.size > 1) groups.push(group)
  }
  return merged(groups)
}

interface Group extends CopartitionGroup {
  readonly topics: Set<string>
  readonly repartitions: Set<RepartitionNode>
}

/** Aggregates of several groups join too, and a saga meets its start and its replies by key. */
const joins = (node: TopologyNode): boolean =>
  joinKinds.has(node.kind) ||
  (aggregateKinds.has(node.kind) && node.from.length > 1) ||
  (node.kind === 'process' && node.verb === 'saga')

const joinKinds: ReadonlySet<NodeKind> = new Set([
  'streamTableJoin',
  'streamStreamJoin',
  'tableTableJoin',
  'foreignKeyRespond',
  'foreignKeyJoin',
])
const aggregateKinds: ReadonlySet<NodeKind> = new Set([
  'aggregate',
  'windowAggregate',
  'slidingAggregate',
  'sessionAggregate',
])

/** Adds the topics whose records reach a node without passing another topic. */
const collect = (nodes: ReadonlyMap<string, TopologyNode>, name: string, group: Group): void => {
  const node = nodes.get(name)
  if (node === undefined) return
  if (node.kind === 'repartition') group.repartitions.add(node)
  else if (node.kind === 'tableSource') group.topics.add(node.topic.name)
  else if (node.kind === 'source') {
    if (!(node.topics instanceof RegExp)) for (const { name: topic } of node.topics) group.topics.add(topic)
  } else {
    const parents = node.kind === 'streamGlobalTableJoin' ? node.from.slice(0, 1) : node.from
    for (const parent of parents) collect(nodes, parent, group)
  }
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
      for (const repartition of other.repartitions) first.repartitions.add(repartition)
    }
    for (const other of rest) result.splice(result.indexOf(other), 1)
  }
  return result
}

const overlap = (left: CopartitionGroup, right: CopartitionGroup): boolean =>
  [...left.topics].some((topic) => right.topics.has(topic)) ||
  [...left.repartitions].some((repartition) => right.repartitions.has(repartition))
