import type { Stream, Topic, Topology, Windowed } from 'millrace'
import {
  days,
  long,
  seconds,
  session,
  sessionWindowed,
  string,
  timeWindowed,
  topic,
  topology,
  tumbling,
  within,
} from 'millrace'

/**
 * The order application of OrderApplication.java, said for Millrace: the same names and windows, so that either can go on
 * where the other stopped.
 */
export interface OrderTopics {
  /** Keyed by order, the value is the customer. */
  readonly orders: Topic<string, string>
  /** Keyed by order, the value is the payment. */
  readonly payments: Topic<string, string>
  /** Keyed by customer, the value is the tier. */
  readonly customers: Topic<string, string>
  readonly counts: Topic<string, number>
  readonly windowCounts: Topic<Windowed<string>, number>
  readonly sessionCounts: Topic<Windowed<string>, number>
  readonly paidOrders: Topic<string, string>
  readonly tieredOrders: Topic<string, string>
}

export const orderTopics = (prefix: string): OrderTopics => ({
  orders: topic(`${prefix}-orders`, { value: string }),
  payments: topic(`${prefix}-payments`, { value: string }),
  customers: topic(`${prefix}-customers`, { value: string }),
  counts: topic(`${prefix}-counts`, { value: long }),
  windowCounts: topic(`${prefix}-window-counts`, { key: timeWindowed(string, windowSize), value: long }),
  sessionCounts: topic(`${prefix}-session-counts`, { key: sessionWindowed(string), value: long }),
  paidOrders: topic(`${prefix}-paid-orders`, { value: string }),
  tieredOrders: topic(`${prefix}-tiered-orders`, { value: string }),
})

export const orderApplication = (topics: OrderTopics): Topology =>
  topology('order-application', (builder) => {
    const orders = builder.stream(topics.orders, { name: 'orders' })
    const payments = builder.stream(topics.payments, { name: 'payments' })
    const customers = builder.table(topics.customers, { name: 'customers', store: 'customers' })

    count(orders, topics)
    orders
      .join(payments, (customer, payment) => `${customer} paid ${payment}`, {
        name: 'order-payment',
        windows: within(seconds(30), { grace }),
        value: string,
      })
      .to(topics.paidOrders)
    orders
      .map(({ key: order, value: customer }) => ({ key: customer, value: order }), {
        key: string,
        value: string,
      })
      .join(customers, (order, tier) => `${order} is ${tier}`, { name: 'order-customer', value: string })
      .to(topics.tieredOrders)
  })

const count = (orders: Stream<string, string>, topics: OrderTopics): void => {
  const byCustomer = orders.groupBy(({ value: customer }) => customer, {
    name: 'orders-by-customer',
    value: string,
  })
  byCustomer.count({ store: 'order-counts' }).toStream().to(topics.counts)
  byCustomer
    .windowedBy(tumbling({ size: windowSize, grace }))
    .count({ store: 'window-counts' })
    .toStream()
    .to(topics.windowCounts)
  byCustomer
    .windowedBy(session({ gap: seconds(5), grace }))
    .count({ store: 'session-counts' })
    .toStream()
    .to(topics.sessionCounts)
}

const windowSize = seconds(10)
/** Long enough that no record is late: how two partitions interleave then changes nothing. */
const grace = days(1)
