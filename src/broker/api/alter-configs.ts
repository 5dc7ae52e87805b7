import type { Broker } from '../broker.ts'
import { alterConfigsSchema } from '../protocol/apis/alter-configs.ts'
import { incrementalAlterConfigsSchema } from '../protocol/apis/incremental-alter-configs.ts'
import { Refusal } from '../protocol/errors.ts'
import { checkTopicConfig, splitList, TOPIC_CONFIGS } from '../topic/topic-configs.ts'
import type { Topic } from '../topic/topics.ts'
import { api, attempt, type Api } from './api.ts'
import { TOPIC_RESOURCE } from './describe-configs.ts'

/** AlterConfigs: the given configs replace all that were set on the topic. */
export const alterConfigsApi: Api = api(alterConfigsSchema, (broker, { resources, validateOnly }) => ({
  responses: resources.map(({ resourceType, resourceName, configs }) => {
    const outcome = attempt(() => {
      const topic = resourceOf(broker, resourceType, resourceName)
      const next = new Map<string, string>()
      for (const { name, value } of configs) setConfig(next, name, value)
      if (!validateOnly) broker.setTopicConfigs(topic, next)
    })
    return { ...outcome, resourceType, resourceName }
  }),
}))

/** IncrementalAlterConfigs: each config is set, deleted, or, where it is a list, appended to or subtracted from. */
export const incrementalAlterConfigsApi: Api = api(
  incrementalAlterConfigsSchema,
  (broker, { resources, validateOnly }) => ({
    responses: resources.map(({ resourceType, resourceName, configs }) => {
      const outcome = attempt(() => {
        const topic = resourceOf(broker, resourceType, resourceName)
        checkUnique(configs.map(({ name }) => name))
        const next = new Map(topic.configs)
        for (const { name, configOperation, value } of configs)
          alter(topic, next, name, configOperation, value)
        if (!validateOnly) broker.setTopicConfigs(topic, next)
      })
      return { ...outcome, resourceType, resourceName }
    }),
  }),
)

const resourceOf = (broker: Broker, type: number, name: string): Topic => {
  if (type !== TOPIC_RESOURCE)
    throw new Refusal('INVALID_REQUEST', 'Only the configs of topics can be changed here.')
  const topic = broker.topics.get(name)
  if (topic === undefined)
    throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
  return topic
}

const checkUnique = (names: readonly string[]): void => {
  if (new Set(names).size !== names.length)
    throw new Refusal('INVALID_REQUEST', 'The same config was given more than once.')
}

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

const alter = (
  topic: Topic,
  configs: Map<string, string>,
  name: string,
  operation: number,
  value: string | null,
): void => {
  if (operation === SET) setConfig(configs, name, value)
  else if (operation === DELETE) {
    if (!TOPIC_CONFIGS.has(name)) throw new Refusal('INVALID_CONFIG', `Unknown topic config name: ${name}`)
    configs.delete(name)
  } else if (operation === APPEND || operation === SUBTRACT) {
    if (TOPIC_CONFIGS.get(name)?.type !== 'list')
      throw new Refusal('INVALID_CONFIG', `Config value append is not allowed for config key: ${name}`)
    const items = splitList(value ?? '')
    const others = splitList(topic.config(name)).filter((item) => !items.includes(item))
    setConfig(configs, name, (operation === APPEND ? [...others, ...items] : others).join(','))
  } else throw new Refusal('INVALID_REQUEST', `Unknown config operation ${operation}`)
}

const setConfig = (configs: Map<string, string>, name: string, value: string | null): void => {
  checkTopicConfig(name, value)
  configs.set(name, value ?? '')
}
