import { NODE_ID, type Broker } from '../broker.ts'
import { describeConfigsSchema } from '../protocol/apis/describe-configs.ts'
import { Errors, Refusal } from '../protocol/errors.ts'
import type { Item, Request, Response } from '../protocol/schema.ts'
import { brokerConfigs } from '../settings.ts'
import { TOPIC_CONFIGS, type ConfigDefinition, type ConfigType } from '../topic/topic-configs.ts'
import { checkTopicName } from '../topic/topics.ts'
import { api, attempt, type Api } from './api.ts'

export const TOPIC_RESOURCE = 2
const BROKER_RESOURCE = 4

/** Where a value comes from. */
const DYNAMIC_TOPIC_CONFIG = 1
const STATIC_BROKER_CONFIG = 4
const DEFAULT_CONFIG = 5

/**
 * DescribeConfigs: a topic's configs, those that were set and the defaults of the others, or this broker's settings
 * (read only). `configurationKeys` picks some of them.
 */
export const describeConfigsApi: Api = api(describeConfigsSchema, (broker, request) => ({
  results: request.resources.map((resource) => {
    let configs: ConfigAnswer[] = []
    const outcome = attempt(() => {
      const wanted = resource.configurationKeys
      configs = describe(broker, resource, request.includeSynonyms).filter(
        ({ name }) => wanted === null || wanted.length === 0 || wanted.includes(name),
      )
    })
    const { resourceType, resourceName } = resource
    const errorMessage = outcome.errorCode === Errors.NONE ? '' : outcome.errorMessage
    return { errorCode: outcome.errorCode, errorMessage, resourceType, resourceName, configs }
  }),
}))

type Resource = Item<Request<typeof describeConfigsSchema>, 'resources'>
type ConfigAnswer = Item<Item<Response<typeof describeConfigsSchema>, 'results'>, 'configs'>

const describe = (
  broker: Broker,
  { resourceType, resourceName }: Resource,
  synonyms: boolean,
): ConfigAnswer[] => {
  if (resourceType === TOPIC_RESOURCE) return describeTopic(broker, resourceName, synonyms)
  if (resourceType !== BROKER_RESOURCE)
    throw new Refusal('INVALID_REQUEST', 'Only topics and brokers have configs here.')
  if (resourceName !== '' && resourceName !== String(NODE_ID))
    throw new Refusal(
      'INVALID_REQUEST',
      `Unexpected broker id, expected ${NODE_ID}, but received ${resourceName}`,
    )
  if (resourceName === '') return []
  return brokerConfigs(broker.settings).map(([name, value]) => ({
    name,
    value,
    readOnly: true,
    configSource: STATIC_BROKER_CONFIG,
    isSensitive: false,
    synonyms: [],
  }))
}

const describeTopic = (broker: Broker, name: string, withSynonyms: boolean): ConfigAnswer[] => {
  checkTopicName(name)
  const topic = broker.topics.get(name)
  if (topic === undefined) throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  return Array.from(TOPIC_CONFIGS, ([config, definition]) => {
    const set = topic.configs.get(config)
    return {
      name: config,
      value: set ?? definition.defaultValue,
      readOnly: false,
      configSource: set === undefined ? DEFAULT_CONFIG : DYNAMIC_TOPIC_CONFIG,
      isSensitive: false,
      synonyms: withSynonyms ? synonymsOf(config, set, definition) : [],
      configType: TYPE_CODES[definition.type],
      documentation: null,
    }
  })
}

const synonymsOf = (
  name: string,
  set: string | undefined,
  { defaultValue }: ConfigDefinition,
): ConfigAnswer['synonyms'] => [
  ...(set === undefined ? [] : [{ name, value: set, source: DYNAMIC_TOPIC_CONFIG }]),
  { name, value: defaultValue, source: DEFAULT_CONFIG },
]

const TYPE_CODES: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
}
