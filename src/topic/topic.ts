import type * as z from 'zod'
import { Fault } from '../base/fault.ts'
import type { OptionShape } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { shown } from '../base/shown.ts'
import { count, required, text } from '../base/value-kinds.ts'
import { json } from './json.ts'
import type { AnySerde, Serde, Serializer } from './serde.ts'
import { string } from './serdes.ts'
import { isSchema, serde, serdeSource } from './value-kinds.ts'

/**
 * A topic is a name and a contract: how its keys and values stand on the wire, and which service answers for it.
 * Importing one opens nothing.
 */
export interface Topic<in out K, in out V> {
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** The service that answers for this contract (its bounded context). */
  readonly owner: string | undefined
  /** What the topic should have where Millrace creates it; a broker's default where left out. */
  readonly partitions: number | undefined
}

/** What a sink needs of a topic. A null is always writable: a tombstone, or a record without key. */
export interface SinkTopic<in K, in V> {
  readonly name: string
  readonly key: Serializer<K>
  readonly value: Serializer<V>
}

/** Options of `topic`: its serdes and what else belongs to its contract. */
export interface TopicOptions<K, V> {
  /** Defaults to UTF-8 text. */
  readonly key?: K
  /** A serde, or a zod schema that stands for JSON under that schema. */
  readonly value: V
  readonly owner?: string
  readonly partitions?: number
}

/** The type of a serde or of a zod schema. */
export type TypeOf<S> = S extends z.ZodType ? z.output<S> : S extends Serde<infer T> ? T : never

/**
 * A typed topic.
 *
 * @example
 * const Order = z.object({ status: z.string() })
 * const orders = topic('orders', { value: Order })                 // Topic<string, { status: string }>
 * const counts = topic('counts', { key: string, value: long })     // Topic<string, number>
 */
export const topic = <V extends AnySerde | z.ZodType, K extends AnySerde | z.ZodType = Serde<string>>(
  name: string,
  options: TopicOptions<K, V>,
): Topic<TypeOf<K>, TypeOf<V>> => {
  checkArgument('topic', name, text)
  checkTopicName(name)
  checkOptions(`topic '${name}'`, options, topicOptions)
  return Object.freeze({
    name,
    key: (options.key === undefined ? string : serdeOf(options.key)) as Serde<TypeOf<K>>,
    value: serdeOf<V>(options.value),
    owner: options.owner,
    partitions: options.partitions,
  })
}

const topicOptions: OptionShape<TopicOptions<never, never>> = {
  key: serdeSource,
  value: { ...required(serdeSource), missing: 'value is undefined, neither a serde nor a zod schema' },
  owner: text,
  partitions: count,
}

/** A serde as it is, a zod schema as JSON under it. */
export const serdeOf = <S extends AnySerde | z.ZodType>(source: S): Serde<TypeOf<S>> => {
  if (isSchema(source)) return json(source as z.ZodType) as Serde<TypeOf<S>>
  if (!serde.accepts(source)) throw serdeInvalid(source)
  return source as Serde<TypeOf<S>>
}

const serdeInvalid = (source: unknown): Fault =>
  new Fault({
    code: 'SERDE_INVALID',
    actor: 'author',
    message: `${shown(source)} is neither a serde nor a zod schema`,
    remedy: 'give a serde (string, long, json(...)) or a schema',
  })

/** Kafka's rule for topic names: 1 to 249 of letters, digits, dot, underscore and hyphen, and not `.` or `..`. */
export const isLegalTopicName = (name: string): boolean =>
  /^[A-Za-z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..'

/** Refuses a name that is not legal for a topic. */
export const checkTopicName = (name: string): void => {
  if (isLegalTopicName(name)) return
  throw new Fault({
    code: 'TOPIC_NAME_INVALID',
    actor: 'author',
    message: `'${name}' is not a legal topic name`,
    remedy: 'use 1 to 249 of a-z, A-Z, 0-9, dot, underscore and hyphen',
  })
}
