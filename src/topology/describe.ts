import { checkArgument } from '../base/options.ts'
import type { RepartitionNode, SinkNode, SourceNode, TopologyNode } from './node.ts'
import type { SubTopology } from './sub-topologies.ts'
import { globalTablesOf, subTopologiesOf } from './sub-topologies.ts'
import type { Topology } from './topology.ts'
import { storesOf } from './topology.ts'
import { topologyKind } from './topology-kind.ts'

/**
 * A topology as text, laid out as Kafka Streams' `TopologyDescription`, so that its readers and its viewers feel at
 * home. A repartition appears twice: as the sink of the sub-topology that writes it (`<name>-sink`) and as the source of
 * the one that reads it (`<name>-source`).
 *
 * @example
 * console.log(describeTopology(payment))
 */
export const describeTopology = (topology: Topology): string => {
  checkArgument('describeTopology', topology, topologyKind)
  const subTopologies = subTopologiesOf(topology)
  const locals = subTopologies.map(
    (subTopology) => `Sub-topology: ${subTopology.index}\n${describeSubTopology(subTopology)}`,
  )
  const globals = globalTablesOf(topology).map(
    ({ source }, index) =>
      `Sub-topology: ${subTopologies.length + index} for global store (will not generate tasks)\n` +
      `    Source: ${source.name} (topics: [${source.topic.name}])\n      --> ${source.name}-update\n` +
      `    Processor: ${source.name}-update (stores: [${source.store}])\n      --> none\n      <-- ${source.name}\n`,
  )
  return `Topologies:\n   ${[...locals, ...globals].join('\n  ')}`
}

const describeSubTopology = (subTopology: SubTopology): string => {
  const neighbours = neighboursIn(subTopology)
  const blocks = [
    ...subTopology.reads.map((node) =>
      describeNode({ ...neighbours.of(readerName(node)), line: reader(node) }),
    ),
    ...subTopology.nodes.map((node) => describeNode({ ...neighbours.of(node.name), line: lineOf(node) })),
    ...subTopology.writes.map((node) =>
      describeNode({ ...neighbours.of(writerName(node)), line: writer(node) }),
    ),
  ]
  return blocks.join('')
}

interface Described {
  readonly line: string
  readonly parents: readonly string[]
  readonly children: readonly string[]
}

/** Sources have no parents to show and sinks no children; every other node shows both. */
const describeNode = ({ line, parents, children }: Described): string => {
  const down = line.startsWith('Sink') ? '' : `      --> ${listed(children)}\n`
  const up = line.startsWith('Source') ? '' : `      <-- ${listed(parents)}\n`
  return `    ${line}\n${down}${up}`
}

const listed = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))

const lineOf = (node: TopologyNode): string => {
  if (node.kind === 'source') return `Source: ${node.name} (topics: ${topicsOf(node)})`
  if (node.kind === 'tableSource')
    return `Source: ${node.name} (topics: [${node.topic.name}], stores: [${node.store}])`
  if (node.kind === 'sink') return `Sink: ${node.name} (topic: ${sinkTopicOf(node)})`
  return `Processor: ${node.name} (stores: [${storesOf(node).join(', ')}])`
}

const reader = (node: RepartitionNode): string => `Source: ${readerName(node)} (topics: [${node.topic}])`
const writer = (node: RepartitionNode): string => `Sink: ${writerName(node)} (topic: ${node.topic})`
const readerName = ({ name }: RepartitionNode): string => `${name}-source`
const writerName = ({ name }: RepartitionNode): string => `${name}-sink`

/** The topics of a source: `[a, b]`, or the pattern they match. */
export const topicsOf = ({ topics }: SourceNode): string =>
  topics instanceof RegExp ? String(topics) : `[${topics.map(({ name }) => name).join(', ')}]`

/** The topic of a sink; `by record` where each record chooses. */
export const sinkTopicOf = ({ topic }: SinkNode): string =>
  typeof topic === 'function' ? 'by record' : topic.name

/** Who stands before and after whom in one sub-topology, under the names the description uses. */
const neighboursIn = ({
  nodes,
  reads,
  writes,
}: SubTopology): { of(name: string): Pick<Described, 'parents' | 'children'> } => {
  const parents = new Map<string, readonly string[]>()
  const children = new Map<string, string[]>()
  const readers = new Map(reads.map((node) => [node.name, readerName(node)]))
  const here = new Set([...nodes.map(({ name }) => name), ...readers.keys()])
  const add = (name: string, from: readonly string[]): void => {
    const known = [...new Set(from)]
      .filter((parent) => here.has(parent))
      .map((parent) => readers.get(parent) ?? parent)
    parents.set(name, known)
    for (const parent of known) children.set(parent, [...(children.get(parent) ?? []), name])
  }
  for (const node of nodes) add(node.name, node.from)
  for (const node of writes) add(writerName(node), node.from)
  return { of: (name) => ({ parents: parents.get(name) ?? [], children: children.get(name) ?? [] }) }
}
