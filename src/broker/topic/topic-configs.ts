import { Refusal } from '../protocol/errors.ts'

/**
 * The topic configs of Apache Kafka with their types, defaults and bounds. The broker keeps what was set and answers
 * with it; few of them change what it does (`max.message.bytes`, `cleanup.policy`, the timestamp ones).
 */
export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'

export interface ConfigDefinition {
  readonly type: ConfigType
  readonly defaultValue: string
  /** Smallest and largest number. */
  readonly between?: readonly [number, number]
  readonly oneOf?: readonly string[]
}

const LARGEST_LONG = '9223372036854775807'
const LARGEST_INT = 2147483647
const int = (defaultValue: number, low: number, high = LARGEST_INT): ConfigDefinition => ({
  type: 'int',
  defaultValue: String(defaultValue),
  between: [low, high],
})
const long = (defaultValue: number | string, low: number): ConfigDefinition => ({
  type: 'long',
  defaultValue: String(defaultValue),
  between: [low, Number(LARGEST_LONG)],
})
const flag: ConfigDefinition = { type: 'boolean', defaultValue: 'false', oneOf: ['true', 'false'] }
const choice = (defaultValue: string, ...oneOf: string[]): ConfigDefinition => ({
  type: 'string',
  defaultValue,
  oneOf: [defaultValue, ...oneOf],
})
const list = (defaultValue: string, ...oneOf: string[]): ConfigDefinition =>
  oneOf.length === 0 ? { type: 'list', defaultValue } : { type: 'list', defaultValue, oneOf }

export const TOPIC_CONFIGS: ReadonlyMap<string, ConfigDefinition> = new Map(
  Object.entries({
    'cleanup.policy': list('delete', 'compact', 'delete'),
    'compression.gzip.level': int(-1, -1, 9),
    'compression.lz4.level': int(9, 1, 17),
    'compression.type': choice('producer', 'uncompressed', 'zstd', 'lz4', 'snappy', 'gzip'),
    'compression.zstd.level': int(3, -131072, 22),
    'delete.retention.ms': long(86400000, 0),
    'file.delete.delay.ms': long(60000, 0),
    'flush.messages': long(LARGEST_LONG, 1),
    'flush.ms': long(LARGEST_LONG, 0),
    'follower.replication.throttled.replicas': list(''),
    'index.interval.bytes': int(4096, 0),
    'leader.replication.throttled.replicas': list(''),
    'local.retention.bytes': long(-2, -2),
    'local.retention.ms': long(-2, -2),
    'max.compaction.lag.ms': long(LARGEST_LONG, 1),
    'max.message.bytes': int(1048588, 0),
    'message.timestamp.after.max.ms': long(3600000, 0),
    'message.timestamp.before.max.ms': long(LARGEST_LONG, 0),
    'message.timestamp.type': choice('CreateTime', 'LogAppendTime'),
    'min.cleanable.dirty.ratio': { type: 'double', defaultValue: '0.5', between: [0, 1] },
    'min.compaction.lag.ms': long(0, 0),
    'min.insync.replicas': int(1, 1),
    preallocate: flag,
    'remote.log.copy.disable': flag,
    'remote.log.delete.on.disable': flag,
    'remote.storage.enable': flag,
    'retention.bytes': long(-1, -Number(LARGEST_LONG)),
    'retention.ms': long(604800000, -1),
    'segment.bytes': int(1073741824, 1048576),
    'segment.index.bytes': int(10485760, 4),
    'segment.jitter.ms': long(0, 0),
    'segment.ms': long(604800000, 1),
    'unclean.leader.election.enable': flag,
  } satisfies Record<string, ConfigDefinition>),
)

/** Throws INVALID_CONFIG for a name that Kafka does not know or a value that it would not take. */
export const checkTopicConfig = (name: string, value: string | null): void => {
  const definition = TOPIC_CONFIGS.get(name)
  if (definition === undefined) throw new Refusal('INVALID_CONFIG', `Unknown topic config name: ${name}`)
  if (value === null)
    throw new Refusal('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
  if (!isValid(definition, value))
    throw new Refusal('INVALID_CONFIG', `Invalid value ${value} for configuration ${name}`)
}

const isValid = ({ type, between, oneOf }: ConfigDefinition, value: string): boolean => {
  if (type === 'list') return oneOf === undefined || splitList(value).every((item) => oneOf.includes(item))
  if (oneOf !== undefined) return oneOf.includes(type === 'boolean' ? value.toLowerCase() : value)
  const number = Number(value)
  const shape = type === 'double' ? /^-?\d*\.?\d+(e-?\d+)?$/i : /^-?\d+$/
  return shape.test(value.trim()) && (between === undefined || (number >= between[0] && number <= between[1]))
}

export const splitList = (value: string): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
