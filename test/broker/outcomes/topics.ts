import { alterConfigsSchema } from '../../../src/broker/protocol/apis/alter-configs.ts'
import { createPartitionsSchema } from '../../../src/broker/protocol/apis/create-partitions.ts'
import { createTopicsSchema } from '../../../src/broker/protocol/apis/create-topics.ts'
import { deleteTopicsSchema } from '../../../src/broker/protocol/apis/delete-topics.ts'
import { describeClusterSchema } from '../../../src/broker/protocol/apis/describe-cluster.ts'
import { describeConfigsSchema } from '../../../src/broker/protocol/apis/describe-configs.ts'
import { incrementalAlterConfigsSchema } from '../../../src/broker/protocol/apis/incremental-alter-configs.ts'
import { metadataSchema } from '../../../src/broker/protocol/apis/metadata.ts'
import { TOPIC_CONFIGS } from '../../../src/broker/topic/topic-configs.ts'
import { nameOf, NOT_YET, type Outcome, type World } from './world.ts'

const plain = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }

const create = async (
  world: World,
  name: string,
  changes: object = {},
  validateOnly = false,
): Promise<string> => {
  const { topics } = await world.client.call(createTopicsSchema, 7, {
    topics: [{ name, ...plain, ...changes }],
    validateOnly,
  })
  return nameOf(topics[0]?.errorCode)
}

const alter = async (
  world: World,
  name: string,
  config: string,
  operation: number,
  value: string | null,
): Promise<string> => {
  const { responses } = await world.client.call(incrementalAlterConfigsSchema, 1, {
    resources: [
      { resourceType: 2, resourceName: name, configs: [{ name: config, configOperation: operation, value }] },
    ],
    validateOnly: false,
  })
  return nameOf(responses[0]?.errorCode)
}

const configOf = async (world: World, name: string, config: string): Promise<unknown> => {
  let answer: unknown
  const { results } = await world.client.call(describeConfigsSchema, 4, {
    resources: [{ resourceType: 2, resourceName: name, configurationKeys: [config] }],
    includeSynonyms: false,
  })
  const [found] = results[0]?.configs ?? []
  answer = [nameOf(results[0]?.errorCode), found?.value, found?.configSource, found?.configType]
  return answer
}

export const topicOutcomes: readonly Outcome[] = [
  {
    title: 'topics are created once, under names that hold',
    expected: {
      created: 'NONE',
      again: 'TOPIC_ALREADY_EXISTS',
      dots: 'INVALID_TOPIC_EXCEPTION',
      empty: 'INVALID_TOPIC_EXCEPTION',
      blank: 'INVALID_TOPIC_EXCEPTION',
      long: 'INVALID_TOPIC_EXCEPTION',
      collision: 'INVALID_TOPIC_EXCEPTION',
    },
    run: async (world) => {
      const name = world.name('a.b')
      return {
        created: await create(world, name),
        again: await create(world, name),
        dots: await create(world, '..'),
        empty: await create(world, ''),
        blank: await create(world, 'a b'),
        long: await create(world, 'x'.repeat(250)),
        collision: await create(world, name.replace('.', '_')),
      }
    },
  },
  {
    title: 'a topic needs partitions, and one replica at most',
    expected: {
      noPartitions: 'INVALID_PARTITIONS',
      negative: 'INVALID_PARTITIONS',
      noReplica: 'INVALID_REPLICATION_FACTOR',
      threeReplicas: 'INVALID_REPLICATION_FACTOR',
      byDefault: 'NONE',
      both: 'INVALID_REQUEST',
      gap: 'INVALID_REPLICA_ASSIGNMENT',
      strangers: 'INVALID_REPLICA_ASSIGNMENT',
      assigned: 'NONE',
    },
    run: async (world) => {
      const assignment = (partitionIndex: number, broker: number): object => ({
        partitionIndex,
        brokerIds: [broker],
      })
      const assigned = (...assignments: object[]): object => ({
        numPartitions: -1,
        replicationFactor: -1,
        assignments,
      })
      const fresh = (changes: object): Promise<string> => create(world, world.name('shape'), changes)
      return {
        noPartitions: await fresh({ numPartitions: 0 }),
        negative: await fresh({ numPartitions: -2 }),
        noReplica: await fresh({ replicationFactor: 0 }),
        threeReplicas: await fresh({ replicationFactor: 3 }),
        byDefault: await fresh({ numPartitions: -1, replicationFactor: -1 }),
        both: await fresh({ assignments: [assignment(0, 1)] }),
        gap: await fresh(assigned(assignment(1, 1))),
        strangers: await fresh(assigned(assignment(0, 42))),
        assigned: await fresh(assigned(assignment(0, 1))),
      }
    },
  },
  {
    title: 'a request creates at most 10,000 partitions',
    expected: {
      most: ['NONE'],
      record: ['POLICY_VIOLATION'],
      more: ['POLICY_VIOLATION'],
      huge: ['POLICY_VIOLATION'],
      together: ['POLICY_VIOLATION', 'POLICY_VIOLATION'],
    },
    run: async (world) => {
      const ask = async (...counts: number[]): Promise<string[]> => {
        const { topics } = await world.client.call(createTopicsSchema, 7, {
          topics: counts.map((numPartitions) => ({ name: world.name('topic'), ...plain, numPartitions })),
          validateOnly: true,
        })
        return topics.map(({ errorCode }) => nameOf(errorCode))
      }
      return {
        most: await ask(9_999),
        record: await ask(10_000),
        more: await ask(10_001),
        huge: await ask(2_147_483_647),
        together: await ask(6_000, 6_000),
      }
    },
  },
  {
    title: 'configs of a topic are checked by name and value',
    expected: {
      unknown: 'INVALID_CONFIG',
      number: 'INVALID_CONFIG',
      choice: 'INVALID_CONFIG',
      bound: 'INVALID_CONFIG',
      nothing: 'INVALID_CONFIG',
      good: 'NONE',
    },
    run: async (world) => {
      const set = (name: string, value: string | null): Promise<string> =>
        create(world, world.name('configured'), { configs: [{ name, value }] })
      return {
        unknown: await set('no.such.config', '1'),
        number: await set('retention.ms', 'soon'),
        choice: await set('cleanup.policy', 'shred'),
        bound: await set('min.cleanable.dirty.ratio', '2'),
        nothing: await set('retention.ms', null),
        good: await set('cleanup.policy', 'compact,delete'),
      }
    },
  },
  {
    title: 'the same topic twice in a request is refused, and a validated one is not created',
    expected: [['INVALID_REQUEST'], 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION'],
    run: async (world) => {
      const name = world.name('twice')
      const { topics } = await world.client.call(createTopicsSchema, 7, {
        topics: [
          { name, ...plain },
          { name, ...plain },
        ],
        validateOnly: false,
      })
      const validated = await create(world, name, {}, true)
      const metadata = await world.client.call(metadataSchema, 12, {
        topics: [{ name }],
        allowAutoTopicCreation: false,
      })
      return [
        topics.map(({ errorCode }) => nameOf(errorCode)),
        validated,
        nameOf(metadata.topics[0]?.errorCode),
      ]
    },
  },
  {
    title: 'topics are deleted by name or id, once',
    expected: [
      'NONE',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_ID',
      'INVALID_REQUEST',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ],
    run: async (world) => {
      const name = await world.topic()
      const topicId = 'AbCdEfGhIjKlMnOpQrStUw'
      const remove = async (topic: { name: string | null; topicId: string }): Promise<string> => {
        const { responses } = await world.client.call(deleteTopicsSchema, 6, {
          topics: [topic],
          timeoutMs: 5000,
        })
        return nameOf(responses[0]?.errorCode)
      }
      const none = 'AAAAAAAAAAAAAAAAAAAAAA'
      const removed = await remove({ name, topicId: none })
      await world.retry(async () => {
        const { topics } = await world.client.call(metadataSchema, 12, {
          topics: [{ name }],
          allowAutoTopicCreation: false,
        })
        return topics[0]?.errorCode === 0 ? NOT_YET : 'NONE'
      })
      return [
        removed,
        await remove({ name, topicId: none }),
        await remove({ name: null, topicId }),
        await remove({ name, topicId }),
        await world.send(name, ['x']),
      ]
    },
  },
  {
    title: 'partitions are added, and never taken away',
    expected: [
      'NONE',
      'INVALID_PARTITIONS',
      'INVALID_PARTITIONS',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'INVALID_REPLICA_ASSIGNMENT',
      3,
    ],
    run: async (world) => {
      const topic = await world.topic()
      const grow = async (
        name: string,
        count: number,
        assignments: { brokerIds: number[] }[] | null = null,
      ) => {
        const { results } = await world.client.call(createPartitionsSchema, 3, {
          topics: [{ name, count, assignments }],
          timeoutMs: 5000,
          validateOnly: false,
        })
        return nameOf(results[0]?.errorCode)
      }
      const grown = await grow(topic, 3)
      let count = 0
      await world.retry(async () => {
        const { topics } = await world.client.call(metadataSchema, 12, { topics: [{ name: topic }] })
        count = topics[0]?.partitions.length ?? 0
        return count === 3 ? 'NONE' : NOT_YET
      })
      return [
        grown,
        await grow(topic, 3),
        await grow(topic, 1),
        await grow(world.name('missing'), 3),
        await grow(topic, 5, [{ brokerIds: [1] }]),
        count,
      ]
    },
  },
  {
    title: 'configs are set, appended to, subtracted from and reset',
    expected: {
      set: ['NONE', ['NONE', '1234', 1, 5]],
      append: ['NONE', ['NONE', 'delete,compact', 1, 7]],
      subtract: ['NONE', ['NONE', 'compact', 1, 7]],
      reset: ['NONE', ['NONE', '604800000', 5, 5]],
      notAList: 'INVALID_CONFIG',
      unknownName: 'INVALID_CONFIG',
      badValue: 'INVALID_CONFIG',
      missing: 'UNKNOWN_TOPIC_OR_PARTITION',
      described: ['UNKNOWN_TOPIC_OR_PARTITION', undefined, undefined, undefined],
    },
    run: async (world) => {
      const topic = await world.topic()
      const missing = world.name('missing')
      const step = async (config: string, operation: number, value: string | null): Promise<unknown> => {
        const altered = await alter(world, topic, config, operation, value)
        // A controller tells its broker a little later.
        await new Promise((resolve) => setTimeout(resolve, 100))
        return [altered, await configOf(world, topic, config)]
      }
      return {
        set: await step('segment.ms', 0, '1234'),
        append: await step('cleanup.policy', 2, 'compact'),
        subtract: await step('cleanup.policy', 3, 'delete'),
        reset: await step('segment.ms', 1, null),
        notAList: await alter(world, topic, 'retention.ms', 2, '5'),
        unknownName: await alter(world, topic, 'no.such.config', 0, '5'),
        badValue: await alter(world, topic, 'retention.ms', 0, 'soon'),
        missing: await alter(world, missing, 'retention.ms', 0, '5'),
        described: await configOf(world, missing, 'retention.ms'),
      }
    },
  },
  {
    title: 'a topic has the configs of Apache Kafka with their types',
    expected: [...TOPIC_CONFIGS.keys()].sort(),
    run: async (world) => {
      const topic = await world.topic()
      const { results } = await world.client.call(describeConfigsSchema, 4, {
        resources: [{ resourceType: 2, resourceName: topic, configurationKeys: null }],
        includeSynonyms: true,
      })
      return results[0]?.configs.map(({ name }) => name).sort()
    },
  },
  {
    title: 'metadata names what is missing, by name and by id',
    expected: [
      ['UNKNOWN_TOPIC_OR_PARTITION', true],
      ['UNKNOWN_TOPIC_ID', false],
      ['INVALID_TOPIC_EXCEPTION', true],
    ],
    run: async (world) => {
      const ask = async (topic: { name: string | null; topicId?: string }): Promise<unknown> => {
        const { topics } = await world.client.call(metadataSchema, 12, {
          topics: [topic],
          allowAutoTopicCreation: true,
        })
        return [nameOf(topics[0]?.errorCode), topics[0]?.name !== null]
      }
      return [
        await ask({ name: world.name('missing') }),
        await ask({ name: null, topicId: 'AbCdEfGhIjKlMnOpQrStUw' }),
        await ask({ name: 'a b' }),
      ]
    },
  },
  {
    title: 'configs replaced as a whole forget what is not named',
    expected: ['NONE', ['NONE', '604800000', 5, 5], ['NONE', 'compact', 1, 7], 'INVALID_CONFIG'],
    run: async (world) => {
      const topic = await world.topic({ 'segment.ms': '1234' })
      const replace = async (name: string, value: string): Promise<string> => {
        const { responses } = await world.client.call(alterConfigsSchema, 2, {
          resources: [{ resourceType: 2, resourceName: topic, configs: [{ name, value }] }],
          validateOnly: false,
        })
        return nameOf(responses[0]?.errorCode)
      }
      const replaced = await replace('cleanup.policy', 'compact')
      await new Promise((resolve) => setTimeout(resolve, 100))
      return [
        replaced,
        await configOf(world, topic, 'segment.ms'),
        await configOf(world, topic, 'cleanup.policy'),
        await replace('no.such.config', '1'),
      ]
    },
  },
  {
    title: 'only what exists has configs',
    expected: { otherBroker: 'INVALID_REQUEST', badName: 'INVALID_TOPIC_EXCEPTION', type: 'INVALID_REQUEST' },
    run: async (world) => {
      const ask = async (resourceType: number, resourceName: string): Promise<string> => {
        const { results } = await world.client.call(describeConfigsSchema, 4, {
          resources: [{ resourceType, resourceName, configurationKeys: null }],
          includeSynonyms: false,
        })
        return nameOf(results[0]?.errorCode)
      }
      return { otherBroker: await ask(4, '99'), badName: await ask(2, 'a b'), type: await ask(3, 'x') }
    },
  },
  {
    title: 'the cluster is one broker, which is its own controller',
    expected: ['NONE', 1, 'MISMATCHED_ENDPOINT_TYPE'],
    run: async (world) => {
      const ask = (endpointType: number) =>
        world.client.call(describeClusterSchema, 1, {
          includeClusterAuthorizedOperations: false,
          endpointType,
        })
      const brokers = await ask(1)
      return [nameOf(brokers.errorCode), brokers.brokers.length, nameOf((await ask(2)).errorCode)]
    },
  },
]
