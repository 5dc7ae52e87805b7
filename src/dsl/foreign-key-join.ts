import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { required, text } from '../base/value-kinds.ts'
import type { AnySerde } from '../topic/serde.ts'
import type { SubscriptionResponse } from '../topic/subscription.ts'
import { combinedKeySerde, subscriptionResponseSerde, subscriptionSerde } from '../topic/subscription.ts'
import { serdeSource } from '../topic/value-kinds.ts'
import type { NodeOf } from '../topology/node.ts'
import { requireHandle } from './arguments.ts'
import { refuseForeign } from './refuse-foreign.ts'
import { callbackOption } from './callbacks.ts'
import type { Position, TablePosition } from './graph.ts'
import type { SerdeSource, TableStoreOptions } from './options.ts'
import { maybeStored } from './options.ts'
import { joinedSerde } from './table-join.ts'
import { addTableStore } from './stores.ts'

/** How the rows of one table find their partner in another by a part of their value. */
export interface ForeignKeyJoinOptions<K, L, FK, Right, R> extends Partial<TableStoreOptions> {
  /** Part of the names of its two topics and of its store of subscriptions. */
  readonly name: string
  /** The key of the right row; null where the left row points nowhere. */
  readonly foreignKey: (value: L, key: K) => FK | null
  readonly join: (left: L, right: Right, key: K) => R
  readonly value?: SerdeSource<NonNullable<R>>
}

/**
 * Says a foreign-key join: four nodes, of which the middle two run beside the right table, with a topic there and a
 * topic back (KIP-213). Topics and store are called as Kafka Streams calls those of a named join.
 */
export const joinByForeignKey = <R>(
  type: 'inner' | 'left',
  left: Position,
  other: { readonly at: Position },
  options: ForeignKeyJoinOptions<never, never, unknown, never, R>,
): TablePosition => {
  const { graph } = left
  const verb = type === 'inner' ? 'joinForeignKey' : 'leftJoinForeignKey'
  requireHandle(verb, other, 'table')
  checkOptions(verb, options, foreignKeyJoinOptions)
  const right = other.at
  refuseForeign(graph, right, 'table')
  const join: Join = {
    type,
    name: options.name,
    left,
    right,
    primaryKey: graph.keySerde(left.key),
    foreignKey: graph.keySerde(right.key),
    leftValue: graph.valueSerde(left.value, `foreign-key join '${options.name}'`),
    rightValue: graph.valueSerde(right.value, `foreign-key join '${options.name}'`),
  }
  const response = respond(join, subscribe(join, options.foreignKey as ForeignKeyOf))
  return listen(join, response, options)
}

const foreignKeyJoinOptions: OptionShape<ForeignKeyJoinOptions<never, never, never, never, never>> = {
  ...maybeStored,
  name: required(text),
  foreignKey: callbackOption('foreignKey'),
  join: callbackOption('join'),
  value: serdeSource,
}

type ForeignKeyOf = NodeOf<'foreignKeySubscribe'>['foreignKey']

interface Join {
  readonly type: 'inner' | 'left'
  readonly name: string
  readonly left: Position
  readonly right: Position
  readonly primaryKey: AnySerde
  readonly foreignKey: AnySerde
  readonly leftValue: AnySerde
  readonly rightValue: AnySerde
}

/** The left side asks, through the subscription topic. */
const subscribe = (join: Join, foreignKey: ForeignKeyOf): string => {
  const { graph } = join.left
  const subscribing = graph.add('foreignKeySubscribe', 'joinForeignKey', `${join.name}-subscribe`, {
    from: [join.left.node],
    type: join.type,
    foreignKey,
    foreignKeySerde: join.foreignKey,
    leftValue: join.leftValue,
  })
  return internalTopic(join, subscribing, `${join.name}-subscription-registration-topic`, {
    key: join.foreignKey,
    value: subscriptionSerde(join.primaryKey),
  })
}

/** The right side remembers the questions and answers them, through the response topic. */
const respond = (join: Join, subscription: string): string => {
  const { graph } = join.right
  const store = graph.addStore({
    kind: 'keyValue',
    timestamped: true,
    name: `${join.name}-subscription-store`,
    key: combinedKeySerde(join.foreignKey, join.primaryKey),
    value: subscriptionSerde(join.primaryKey),
    changelog: true,
    storage: 'disk',
  })
  const remembering = graph.add('foreignKeyStore', 'joinForeignKey', `${join.name}-subscription-store`, {
    from: [subscription],
    store,
  })
  const responding = graph.add('foreignKeyRespond', 'joinForeignKey', `${join.name}-respond`, {
    from: [remembering, join.right.node],
    store,
    foreignKeySerde: join.foreignKey,
  })
  return internalTopic(join, responding, `${join.name}-subscription-response-topic`, {
    key: join.primaryKey,
    value: subscriptionResponseSerde(join.rightValue),
    partitioner: ({ value }) => (value as SubscriptionResponse).primaryPartition,
  })
}

/** The left side joins the answers that still fit its rows. */
const listen = <R>(
  join: Join,
  response: string,
  options: ForeignKeyJoinOptions<never, never, unknown, never, R>,
): TablePosition => {
  const { graph } = join.left
  const at: Position = { ...join.left, value: joinedSerde(options) }
  const { store } = options
  if (store !== undefined) addTableStore(at, { ...options, store })
  const node = graph.add('foreignKeyJoin', 'joinForeignKey', join.name, {
    from: [response, join.left.node],
    type: join.type,
    leftValue: join.leftValue,
    join: options.join as NodeOf<'foreignKeyJoin'>['join'],
    store,
  })
  if (store === undefined) offerStore({ ...at, node }, join.name)
  return { at: { ...at, node }, store }
}

/** The store the result gets if a node below looks its rows up. */
const offerStore = (at: Position, name: string): void => {
  at.graph.optionalStores.set(at.node, () => ({
    kind: 'keyValue',
    timestamped: true,
    name: `${name}-result`,
    key: at.graph.keySerde(at.key),
    value: at.graph.valueSerde(at.value, `foreign-key join '${name}', whose rows are looked up below,`),
    changelog: true,
    storage: 'disk',
  }))
}

const internalTopic = (
  { left: { graph } }: Join,
  from: string,
  topic: string,
  settings: Pick<NodeOf<'repartition'>, 'key' | 'value' | 'partitioner'>,
): string =>
  graph.add('repartition', 'joinForeignKey', topic, {
    from: [from],
    verb: 'foreignKey',
    topic,
    changes: false,
    dropNullKeys: false,
    ...settings,
  })
