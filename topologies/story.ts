import type { Headers, Topic } from 'millrace'
import { headerText } from 'millrace'
import {
  customerNotified,
  deadLetterTopic,
  deliveryStarted,
  inventoryRestored,
  inventoryUpdated,
  orderFulfilled,
  orderPlaced,
  orderRejected,
  orderRequested,
  orderShipped,
  orders,
  paymentCompleted,
  paymentDone,
  paymentFailed,
  paymentRefunded,
  paymentRefused,
  processPayment,
  refundPayment,
  releaseStock,
  reserveStock,
  salesByProduct,
  startDelivery,
  stockLevel,
  stockReceived,
  stockRefused,
  stockReleased,
  stockReserved,
} from './contracts.ts'
import type { Order, Warehouse } from './contracts.ts'

/**
 * How the flows are printed: for each topic that shows progress, which flow and service it belongs to, whether it carries
 * events, commands or replies, and how a record of it reads in a few words. Programs that print or draw a flow read this
 * table; nothing here prints.
 */
type Flow = 'hands-on' | 'choreography' | 'orchestration' | 'hybrid'
export type Direction = 'event' | 'command' | 'reply'
/** Whether a line is good news, bad news, a step back, or just news. */
export type Mood = 'news' | 'good' | 'bad' | 'undo'

export interface Chapter {
  readonly topic: string
  readonly flow: Flow
  /** Who wrote the record; of a command, its receiver. */
  readonly service: string
  readonly direction: Direction
  /** Reads a record's value; throws where it breaks the contract. */
  readonly narrate: (value: Uint8Array) => { readonly flow: Flow; readonly mood: Mood; readonly text: string }
}

/** A record as it stands on a topic. */
export interface StoryRecord {
  readonly topic: string
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
}

export interface StoryLine {
  readonly flow: Flow
  readonly service: string
  readonly direction: Direction
  readonly topic: string
  /** The record's key: the order, or the product. */
  readonly order: string
  readonly mood: Mood
  readonly text: string
  /** False where the record breaks the contract of its topic. */
  readonly readable: boolean
}

type Narrator<V> = (value: V) => string

const chapterOf =
  (flow: Flow, direction: Direction) =>
  <V>(
    topic: Topic<string, V>,
    mood: Mood | ((value: V) => Mood),
    text: Narrator<V>,
    flowOf: (value: V) => Flow = () => flow,
  ): Chapter => ({
    topic: topic.name,
    flow,
    service: topic.owner ?? topic.name,
    direction,
    narrate: (bytes) => {
      const value = topic.value.deserialize(bytes, 0, bytes.length)
      const shown = typeof mood === 'function' ? mood(value) : mood
      return { flow: flowOf(value), mood: shown, text: text(value) }
    },
  })

const exercise = chapterOf('hands-on', 'event')
const event = chapterOf('choreography', 'event')
const start = chapterOf('orchestration', 'event')
const command = chapterOf('orchestration', 'command')
const reply = chapterOf('orchestration', 'reply')
const beside = chapterOf('hybrid', 'event')

/** 7800 cents are 78.00. */
const money = (cents: number): string => (cents / 100).toFixed(2)
const goods = ({ quantity, product }: Order): string => `${quantity} x ${product}`
const placed = (order: Order): string => `${order.customer} orders ${goods(order)} for ${money(order.amount)}`

/** Each flow has a warehouse of its own. */
const servedBy = ({ warehouse }: { readonly warehouse: Warehouse }): Flow =>
  warehouse === 'north' ? 'choreography' : 'orchestration'

/** Every topic that shows progress, in the order in which things happen. */
export const story: readonly Chapter[] = [
  exercise(orders, 'news', ({ status }) => `status ${status}`),
  event(
    stockReceived,
    'news',
    (arrived) => `${arrived.quantity} arrive in the ${arrived.warehouse} warehouse`,
    servedBy,
  ),
  event(
    stockLevel,
    'news',
    (level) => `${level.onHand} on the shelf in the ${level.warehouse} warehouse`,
    servedBy,
  ),
  event(orderPlaced, 'news', placed),
  event(inventoryUpdated, 'news', (order) => `${goods(order)} set aside, ${order.left} left`),
  event(orderRejected, 'bad', ({ reason }) => `rejected: ${reason}`),
  event(paymentCompleted, 'news', ({ amount }) => `${money(amount)} charged`),
  event(paymentFailed, 'bad', ({ reason }) => `payment failed: ${reason}`),
  event(inventoryRestored, 'undo', (order) => `${goods(order)} given back, ${order.left} left`),
  event(orderShipped, 'good', ({ trackingId }) => `shipped as ${trackingId}`),
  start(orderRequested, 'news', placed),
  command(reserveStock, 'news', (order) => `reserve ${goods(order)}`),
  reply(stockReserved, 'news', ({ left }) => `reserved, ${left} left`),
  reply(stockRefused, 'bad', ({ reason }) => `refused: ${reason}`),
  command(processPayment, 'news', ({ amount }) => `charge ${money(amount)}`),
  reply(paymentDone, 'news', ({ paymentId }) => `charged as ${paymentId}`),
  reply(paymentRefused, 'bad', ({ reason }) => `refused: ${reason}`),
  command(refundPayment, 'undo', ({ amount }) => `refund ${money(amount)}`),
  reply(paymentRefunded, 'undo', ({ amount }) => `refunded ${money(amount)}`),
  command(releaseStock, 'undo', (order) => `release ${goods(order)}`),
  reply(stockReleased, 'undo', ({ left }) => `released, ${left} left`),
  command(startDelivery, 'news', (order) => `deliver ${goods(order)}`),
  reply(deliveryStarted, 'news', ({ trackingId }) => `on its way as ${trackingId}`),
  start(
    orderFulfilled,
    ({ outcome }) => (outcome === 'COMPLETED' ? 'good' : 'bad'),
    ({ outcome, reason }) => (reason === null ? outcome : `${outcome}: ${reason}`),
  ),
  beside(customerNotified, 'news', ({ customer, text }) => `${customer} is notified: ${text}`),
  beside(
    salesByProduct,
    'news',
    ({ amount, orders: sold }) => `${sold} ${sold === 1 ? 'order' : 'orders'} so far, worth ${money(amount)}`,
  ),
]

const chapters = new Map(story.map((chapter) => [chapter.topic, chapter]))
const utf8 = new TextDecoder()

/** A record as a line; undefined where its topic is not part of the story. */
export const lineOf = ({ topic, key, value, headers }: StoryRecord): StoryLine | undefined => {
  const isDead = topic === deadLetterTopic
  const chapter = chapters.get(isDead ? (headerText(headers, '__streams.errors.topic') ?? '') : topic)
  if (chapter === undefined) return undefined
  const { flow, direction } = chapter
  const order = key === null ? '' : utf8.decode(key)
  const narration = isDead ? deadLetterBy(chapter, headers) : narratedBy(chapter, value)
  return { flow, service: isDead ? topic : chapter.service, direction, topic, order, ...narration }
}

const rank = new Map(story.map(({ topic }, index) => [topic, index]))
/** What was given up comes last. */
const rankOf = ({ topic }: StoryLine): number => rank.get(topic) ?? story.length

/**
 * Lines that were heard together, order by order, and those of an order as they caused each other. Between topics Kafka
 * promises no order, so a reader of many topics may hear a reply before its command. A record that several services gave
 * up is printed once.
 */
export const inStoryOrder = (lines: readonly StoryLine[]): readonly StoryLine[] => {
  const first = new Map<string, number>()
  lines.forEach((line, index) => first.set(groupOf(line), first.get(groupOf(line)) ?? index))
  return lines
    .filter((line, index) => line.topic !== deadLetterTopic || firstLike(lines, line) === index)
    .toSorted(
      (left, right) =>
        (first.get(groupOf(left)) ?? 0) - (first.get(groupOf(right)) ?? 0) || rankOf(left) - rankOf(right),
    )
}

/** Sales of a product have nothing to do with its deliveries. */
const groupOf = ({ topic, order }: StoryLine): string =>
  topic === salesByProduct.name ? `sales of ${order}` : order

const firstLike = (lines: readonly StoryLine[], { topic, order, text }: StoryLine): number =>
  lines.findIndex((line) => line.topic === topic && line.order === order && line.text === text)

type Narration = Pick<StoryLine, 'mood' | 'text' | 'readable'>

const deadLetterBy = (chapter: Chapter, headers: Headers): Narration => ({
  mood: 'bad',
  text: `kept from ${chapter.topic}: ${reasonIn(headers)}`,
  readable: false,
})

/** What went wrong, without the remedy and the place that follow it. */
const reasonIn = (headers: Headers): string =>
  (headerText(headers, '__streams.errors.message') ?? 'no reason given').replace(/(; | \(topic ).*$/s, '')

const narratedBy = (
  chapter: Chapter,
  value: Uint8Array | null,
): Narration & Partial<Pick<StoryLine, 'flow'>> => {
  if (value === null) return { mood: 'bad', text: 'no value', readable: false }
  try {
    return { ...chapter.narrate(value), readable: true }
  } catch {
    return { mood: 'bad', text: `unreadable: ${utf8.decode(value)}`, readable: false }
  }
}
