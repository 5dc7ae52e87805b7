import type { SinkTarget } from '../ports.ts'
import { step } from '../node-context.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/** Writes to a topic, or to the one chosen for the record. */
export const interpretSink: Interpreter<'sink'> = (node, inputs, context) => {
  const target: SinkTarget = {
    node: node.name,
    key: node.key,
    value: node.value,
    partitioner: node.partitioner,
  }
  const { topic } = node
  const { output } = context.host
  const topicOf = typeof topic === 'function' ? topic : (): string => topic.name
  return step(context, node.name, onlyInput(inputs), (record) =>
    output.send(topicOf(record), target, record, context.source),
  )
}

/**
 * The writing half of a repartition node: into the internal topic. The reading half is a source of the sub-topology
 * below. A record without key is dropped and counted where what comes after groups or joins by key.
 */
export const interpretRepartition: Interpreter<'repartition'> = (node, inputs, context) => {
  const topic = `${context.host.applicationId}-${node.topic}`
  const target: SinkTarget = {
    node: node.name,
    key: node.key,
    value: node.value,
    partitioner: node.partitioner,
  }
  const { output } = context.host
  return step(context, node.name, onlyInput(inputs), (record) => {
    if (node.dropNullKeys && record.hasNullKey) context.drop('nullRepartitionKey', node.name, record)
    else output.send(topic, target, record, context.source)
  })
}
