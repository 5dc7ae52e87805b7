import { deserializeAll } from '../topic/serde.ts'
import type { Deserializer } from '../topic/serde.ts'
import type { TopologyNode } from '../topology/node.ts'

/**
 * The value of a record on its way to a sink, as its topic reads it: a saga hands its sinks bytes that the serde of the
 * topic has written already, which a person cannot read.
 */
export const valueAtSink = (node: TopologyNode | undefined, value: unknown): unknown => {
  if (node?.kind !== 'sink' || typeof node.topic === 'function' || !(value instanceof Uint8Array))
    return value
  const own: Partial<Deserializer<unknown>> = node.topic.value as object
  if (node.value === node.topic.value || own.deserialize === undefined) return value
  try {
    return deserializeAll(own as Deserializer<unknown>, value)
  } catch {
    return value
  }
}
