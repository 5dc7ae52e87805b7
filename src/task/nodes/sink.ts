import { Fault } from '../../base/fault.ts'
import type { AnyRecord, NodeOf } from '../../topology/node.ts'
import { patternProblems } from '../../topology/validate-patterns.ts'
import type { NodeContext } from '../node-context.ts'
import { step } from '../step.ts'
import type { SinkTarget } from '../ports.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/** Writes to a topic, or to the one chosen for the record. */
export const interpretSink: Interpreter<'sink'> = (node, inputs, context) => {
  const target: SinkTarget = {
    node: node.name,
    key: node.key,
    value: node.value,
    partitioner: node.partitioner,
    dropped: (record) => context.drop('noPartition', node.name, record),
  }
  const { topic } = node
  const { output } = context.host
  const topicOf = typeof topic === 'function' ? notOwnInput(topic, node, context) : (): string => topic.name
  return step(context, node.name, onlyInput(inputs), (record) =>
    output.send(topicOf(record), target, record, context.source),
  )
}

type TopicChoice = (record: AnyRecord) => string

/** Refuses a topic that a pattern of the topology reads; each topic is looked at once. */
const notOwnInput = (
  choose: TopicChoice,
  { name }: NodeOf<'sink'>,
  { topology }: NodeContext,
): TopicChoice => {
  if (!topology.nodes.some((node) => node.kind === 'source' && node.topics instanceof RegExp)) return choose
  const allowed = new Set<string>()
  return (record) => {
    const topic = choose(record)
    if (allowed.has(topic)) return topic
    const [problem] = patternProblems(topology, [topic])
    if (problem !== undefined)
      throw new Fault({
        code: problem.code,
        actor: 'record',
        message: problem.message,
        remedy: problem.remedy,
        place: { node: name },
      })
    allowed.add(topic)
    return topic
  }
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
    dropped: (record) => context.drop('noPartition', node.name, record),
  }
  const { output } = context.host
  return step(context, node.name, onlyInput(inputs), (record) => {
    if (node.dropNullKeys && record.hasNullKey) context.drop('nullRepartitionKey', node.name, record)
    else output.send(topic, target, record, context.source)
  })
}
