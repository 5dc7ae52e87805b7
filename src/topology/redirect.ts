import type { KeyValueRecord } from '../topic/record.ts'
import type { TopologyNode } from './node.ts'
import type { Topology } from './topology.ts'

/** The same topology writing elsewhere: every sink's topic goes through `rename`, chosen ones record by record. */
export const redirectSinks = (topology: Topology, rename: (topic: string) => string): Topology =>
  Object.freeze({ ...topology, nodes: Object.freeze(topology.nodes.map((node) => redirect(node, rename))) })

const redirect = (node: TopologyNode, rename: (topic: string) => string): TopologyNode => {
  if (node.kind !== 'sink') return node
  const { topic } = node
  if (typeof topic === 'function')
    return Object.freeze({
      ...node,
      topic: (record: KeyValueRecord<unknown, unknown>) => rename(topic(record)),
    })
  return Object.freeze({ ...node, topic: { ...topic, name: rename(topic.name) } })
}
