import type { RepartitionNode, TopologyNode } from './node.ts'
import type { StoreDefinition } from './store-definition.ts'
import type { Topology } from './topology.ts'

type Said = Pick<Topology, 'nodes' | 'stores'>

/**
 * What saves topics, after the optimisations of Kafka Streams:
 *
 * 1. A table's source topic serves as the changelog of its store, of a versioned one too: a restoration finds the history
 *    that compaction has left in the topic. A table that takes its time from elsewhere than the record keeps its own.
 * 2. Repartitions directly behind one step that write the same bytes become one, called after the first. Kafka Streams'
 *    `merge.repartition.topics` moves them up to the change of the key first, and so merges those below further steps
 *    too, unless these change values.
 *
 * Both change the topics an application owns, so turning them on or off is a breaking change of a running one.
 */
export const optimised = (said: Said): Said => mergeRepartitions(reuseSourceTopics(said))

const reuseSourceTopics = ({ nodes, stores }: Said): Said => {
  const changelogTopics = new Map<string, string>()
  for (const node of nodes)
    if (node.kind === 'tableSource' && !node.global && node.timestampExtractor === undefined)
      changelogTopics.set(node.store, node.topic.name)
  const reusing = (store: StoreDefinition): StoreDefinition => {
    const changelogTopic = changelogTopics.get(store.name)
    if (
      changelogTopic === undefined ||
      (store.kind !== 'keyValue' && store.kind !== 'versioned') ||
      !store.changelog
    )
      return store
    return Object.freeze({ ...store, changelogTopic })
  }
  return { nodes, stores: stores.map(reusing) }
}

const mergeRepartitions = ({ nodes, stores }: Said): Said => {
  const kept: TopologyNode[] = []
  const replacements = new Map<string, string>()
  for (const node of nodes) {
    const renamed = node.from.some((parent) => replacements.has(parent))
      ? Object.freeze({ ...node, from: node.from.map((parent) => replacements.get(parent) ?? parent) })
      : node
    const twin = renamed.kind === 'repartition' ? kept.find((known) => isTwin(known, renamed)) : undefined
    if (twin === undefined) kept.push(renamed)
    else replacements.set(node.name, twin.name)
  }
  return { nodes: kept, stores }
}

/** True where both write the same records, bytes and all; a topic the author asked for by `repartition` stays. */
const isTwin = (known: TopologyNode, node: RepartitionNode): boolean =>
  known.kind === 'repartition' &&
  known.from[0] === node.from[0] &&
  [known, node].every(({ verb, partitioner }) => verb !== 'repartition' && partitioner === undefined) &&
  known.key === node.key &&
  known.value === node.value &&
  known.partitions === node.partitions &&
  known.dropNullKeys === node.dropNullKeys
