import type { OptionShape, ValueKind } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { count, text } from '../base/value-kinds.ts'
import { topology, TopologyBuilder } from '../dsl/builder.ts'
import { bytes, string } from '../topic/serdes.ts'
import type { Topic } from '../topic/topic.ts'
import type { AnySinkTopic, SourceTopic } from '../topology/node-topic.ts'
import type { Topology } from '../topology/topology.ts'
import type { WorkflowExchangeSnapshot, WorkflowSnapshot } from '../topology/workflow-snapshot.ts'
import type { Saga } from './saga.ts'
import type { Exchange } from './step.ts'
import { sagaProcessor } from './saga-processor.ts'
import { stateSerde } from './state-serde.ts'

/** Options of `sagaTopology` and `addSaga`. */
export interface SagaTopologyOptions {
  /** Reaches the disk and the changelog topic. Defaults to `sagas`. */
  readonly store?: string
  /** How often the clock is looked at for replies that are overdue: defaults to 200 ms. */
  readonly timerInterval?: number
}

/**
 * A saga as a topology of its own: sources for its start and every reply, one stateful aggregating processor with its
 * state in one store and changelog, and a sink for every command and the outcome.
 *
 * @example
 * export const orderFulfilment = sagaTopology(fulfilment) // run it with: millrace run order-fulfilment.ts
 */
export const sagaTopology = (saga: Saga, options: SagaTopologyOptions = {}): Topology => {
  checkArgument('sagaTopology', saga, sagaKind)
  checkOptions('sagaTopology', options, sagaTopologyOptions)
  return topology(
    saga.name,
    (builder) => addSaga(builder, saga, options),
    saga.owner === undefined ? {} : { owner: saga.owner },
  )
}

const sagaTopologyOptions: OptionShape<SagaTopologyOptions> = { store: text, timerInterval: count }

const sagaKind: ValueKind = {
  needs: 'a saga',
  example: 'saga(name, options)',
  accepts: (value) => (value as Partial<Saga> | null | undefined)?.repliesByTopic instanceof Map,
}

/**
 * Adds a saga to a topology that does other things too. The saga's id is the key of its start, its commands and its
 * replies, so their topics need as many partitions as each other.
 *
 * @example
 * topology('orders', (builder) => addSaga(builder, fulfilment))
 */
export const addSaga = (builder: TopologyBuilder, saga: Saga, options: SagaTopologyOptions = {}): void => {
  checkArgument('addSaga', builder, builderKind)
  checkArgument('addSaga', saga, sagaKind)
  checkOptions('addSaga', options, sagaTopologyOptions)
  const { graph } = builder
  const store = graph.addStore({
    kind: 'keyValue',
    timestamped: false,
    name: options.store ?? 'sagas',
    key: string,
    value: stateSerde(saga.name),
    changelog: true,
    storage: 'disk',
  })
  const inputs = inputTopics(saga).map((topic) => input(builder, saga, topic))
  const merged = graph.add('merge', 'merge', `${saga.name}-messages`, { from: inputs })
  const sinkOf = (topic: string): string => `${saga.name}-${topic}`
  const outputs = outputTopics(saga)
  const serializers = new Map(outputs.map(({ name, value }) => [name, value]))
  const supplier = sagaProcessor(saga, {
    store,
    sinkOf,
    serializerOf: (topic) => serializers.get(topic) ?? bytes,
    timerIntervalMs: options.timerInterval ?? 200,
  })
  const processor = graph.add('process', 'saga', saga.name, {
    from: [merged],
    verb: 'saga',
    supplier,
    stores: [store],
    workflow: workflowOf(saga),
  })
  for (const topic of outputs)
    graph.add('sink', 'to', sinkOf(topic.name), {
      from: [processor],
      topic,
      key: topic.key,
      value: bytes,
    })
}

const builderKind: ValueKind = {
  needs: 'the builder that topology hands to its function',
  accepts: (value) => value instanceof TopologyBuilder,
}

const workflowOf = ({ name, startedBy, steps }: Saga): WorkflowSnapshot => ({
  name,
  startedBy: startedBy.name,
  steps: steps.map((step) => ({
    name: step.name,
    kind: step.kind,
    command: exchangeOf(step.command),
    undo: step.undo === undefined ? null : exchangeOf(step.undo),
  })),
})

const exchangeOf = ({ topic, replies, timeoutMs, attempts }: Exchange): WorkflowExchangeSnapshot => ({
  topic: topic.name,
  replies: Object.values(replies).map((reply) => reply.topic.name),
  timeoutMs: timeoutMs ?? null,
  attempts,
})

/** Reading a value here is what enforces its contract before the saga sees it. */
const input = (builder: TopologyBuilder, saga: Saga, topic: SourceTopic): string =>
  builder
    .stream(topic as unknown as Topic<string, unknown>, { name: `${saga.name}-from-${topic.name}` })
    .mapValues((value) => ({ topic: topic.name, value }), { name: `${saga.name}-hears-${topic.name}` }).at
    .node

const inputTopics = (saga: Saga): readonly SourceTopic[] => [
  saga.startedBy,
  ...[...saga.repliesByTopic.values()].map(({ reply }) => reply.topic),
]

const outputTopics = (saga: Saga): readonly AnySinkTopic[] => {
  const exchanges = saga.steps.flatMap(({ command, undo }) =>
    undo === undefined ? [command] : [command, undo],
  )
  const topics = [
    ...exchanges.map(({ topic }) => topic),
    ...(saga.outcome === undefined ? [] : [saga.outcome.topic]),
  ]
  return [...new Map(topics.map((topic) => [topic.name, topic])).values()]
}
