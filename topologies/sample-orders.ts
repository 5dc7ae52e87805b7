import { deadLetterTopic, orderPlaced, orderRequested, orders, stockReceived } from './contracts.ts'
import type { Order, Warehouse } from './contracts.ts'

/**
 * A day in the shop: what `npm start` feeds to both flows, as text that a producer could have typed. Good orders and all
 * kinds of bad ones. There is plenty of stock, so the outcome does not hang on who comes first.
 */
export interface Sample {
  readonly topic: string
  readonly key: string
  /** The value's text, byte for byte as it is produced. */
  readonly value: string
  /** What is special about it. */
  readonly about: string
}

/** The hands-on exercise, with an order without a consumer beside it. */
export const handsOnOrders: readonly Sample[] = [
  { topic: orders.name, key: 'order-123', value: '{"status": "created"}', about: 'the one listened to' },
  { topic: orders.name, key: 'order-124', value: '{"status": "cancelled"}', about: 'another status' },
]

/**
 * Goods arrive in both warehouses; feed them first, and the orders once `stock-level` shows that they are on the shelves:
 * Kafka keeps no order between topics.
 */
export const deliveries: readonly Sample[] = (['north', 'south'] as const).flatMap((warehouse) => [
  delivered(warehouse, 'lamp', 20),
  delivered(warehouse, 'chair', 12),
  delivered(warehouse, 'desk', 6),
])

/** What happens to a sample order in the end. */
export interface Expectation {
  readonly in: number
  readonly completed: number
  readonly compensated: number
  readonly rejected: number
  readonly duplicates: number
  readonly deadLettered: number
}

export const expected: Expectation = {
  in: 11,
  completed: 5,
  compensated: 2,
  rejected: 2,
  duplicates: 1,
  deadLettered: 1,
}

/** Orders for the choreographed services: order-101 and on. */
export const choreographedOrders: readonly Sample[] = dayOfOrders(orderPlaced.name, 100)

/** The same orders for the orchestrated services: order-201 and on. */
export const orchestratedOrders: readonly Sample[] = dayOfOrders(orderRequested.name, 200)

/** Every topic the samples and their dead letters go to. */
export const sampleTopics: readonly string[] = [
  orders.name,
  stockReceived.name,
  orderPlaced.name,
  orderRequested.name,
  deadLetterTopic,
]

function dayOfOrders(topic: string, base: number): readonly Sample[] {
  const order = (number: number, about: string, details: Omit<Order, 'orderId' | 'version'>): Sample => {
    const orderId = `order-${base + number}`
    return { topic, key: orderId, value: JSON.stringify({ orderId, ...details }), about }
  }
  const ada = { customer: 'Ada', card: 'visa-4242' }
  const grace = { customer: 'Grace', card: 'master-5100' }
  const edsger = { customer: 'Edsger', card: 'visa-declined' }
  const twice = order(5, 'sent once', { ...grace, product: 'lamp', quantity: 1, amount: 3_900 })
  return [
    order(1, 'a good order', { ...ada, product: 'lamp', quantity: 2, amount: 7_800 }),
    order(2, 'a good order', { ...grace, product: 'chair', quantity: 4, amount: 31_600 }),
    order(3, 'more than there is', { ...ada, product: 'desk', quantity: 50, amount: 1_250_000 }),
    order(4, 'a card that is declined', { ...edsger, product: 'desk', quantity: 1, amount: 25_000 }),
    twice,
    { ...twice, about: 'the same order once more' },
    { topic, key: `order-${base + 6}`, value: '{"orderId": "order-10', about: 'cut off on the way' },
    order(7, 'an unknown product', { ...ada, product: 'unicorn', quantity: 1, amount: 99_900 }),
    order(8, 'over the limit', { ...grace, product: 'desk', quantity: 2, amount: 650_000 }),
    order(9, 'a good order', { ...ada, product: 'desk', quantity: 1, amount: 25_000 }),
    order(10, 'a good order', { ...grace, product: 'chair', quantity: 2, amount: 15_800 }),
  ]
}

function delivered(warehouse: Warehouse, product: string, quantity: number): Sample {
  const value = JSON.stringify({ product, quantity, warehouse })
  return { topic: stockReceived.name, key: product, value, about: `goods for the ${warehouse} warehouse` }
}
