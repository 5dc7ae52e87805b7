import * as z from 'zod'
import type { Stream, Table, Topology } from 'millrace'
import { hours, minutes, session, topology, tumbling } from 'millrace'
import { Order, orderPlaced } from './contracts.ts'
import type { Customer, Shelf } from './order-analytics-contracts.ts'
import {
  customers,
  fraudAlerts,
  lateOrders,
  promotions,
  revenueByRegion,
  shelves,
  shortages,
} from './order-analytics-contracts.ts'

type Orders = Stream<string, Order>

/**
 * Revenue by region and hour, published once, when nothing can change it any more. An order that comes later than the grace
 * allows is not lost: it goes to a topic of its own.
 */
const publishRevenue = (byCustomer: Orders, crm: Table<string, Customer>): void => {
  byCustomer
    .leftJoin(crm, withRegion, { name: 'orders-with-region', value: RegionalOrder })
    .groupBy(({ value }) => value.region, { name: 'orders-by-region' })
    .windowedBy(tumbling({ size: hours(1), grace: minutes(5) }))
    .aggregate({
      name: 'hourly-revenue',
      store: 'revenue',
      value: Sum,
      initial: { orders: 0, amount: 0 },
      add: ({ orders, amount }, order) => ({ orders: orders + 1, amount: amount + order.amount }),
      emit: 'onWindowClose',
      dropped: { late: (orders) => orders.to(lateOrders, { name: 'to-late-orders' }) },
    })
    .toStream()
    .flatMap(({ key: { key: region, startMs, endMs }, value: sum }) =>
      sum === null
        ? []
        : [{ key: region, value: { version: 1 as const, region, ...sum, from: startMs, until: endMs } }],
    )
    .to(revenueByRegion, { name: 'to-revenue' })
}

const RegionalOrder = z.object({ ...Order.shape, region: z.string() })
const Sum = z.object({ orders: z.int(), amount: z.int() })

const withRegion = (order: Order, customer: Customer | null): z.output<typeof RegionalOrder> => ({
  ...order,
  region: customer?.region ?? 'unknown',
})

/** A burst of orders of one customer on several cards. The alert is published again while the burst goes on. */
const publishFraud = (byCustomer: Orders): void => {
  byCustomer
    .groupByKey()
    .windowedBy(session({ gap: minutes(10), grace: minutes(1) }))
    .aggregate({
      name: 'burst',
      store: 'bursts',
      value: Burst,
      initial: { orders: 0, cards: [] },
      add: (burst, { card }) => merged(burst, { orders: 1, cards: [card] }),
      merge: merged,
    })
    .toStream()
    .flatMap(({ key: { key: customer, startMs, endMs }, value: burst }) =>
      burst === null || burst.cards.length < suspiciousCards
        ? []
        : [{ key: customer, value: alertOf(customer, burst, startMs, endMs) }],
    )
    .to(fraudAlerts, { name: 'to-fraud-alerts' })
}

const suspiciousCards = 3
const Burst = z.object({ orders: z.int(), cards: z.array(z.string()) })
type Burst = z.output<typeof Burst>

const merged = (left: Burst, right: Burst): Burst => ({
  orders: left.orders + right.orders,
  cards: [...new Set([...left.cards, ...right.cards])],
})

const alertOf = (customer: string, { orders, cards }: Burst, from: number, until: number) => ({
  version: 1 as const,
  customer,
  orders,
  cards: cards.length,
  from,
  until,
})

/** Customers who have spent enough for a better tier than theirs: two tables of one key, joined. */
const publishPromotions = (byCustomer: Orders, crm: Table<string, Customer>): void => {
  byCustomer
    .groupByKey()
    .aggregate({
      name: 'spending',
      store: 'spending',
      value: z.int(),
      initial: 0,
      add: (spent, { amount }) => spent + amount,
    })
    .join(crm, (spent, { tier }, customer) => ({ version: 1 as const, customer, spent, tier }))
    .filter(({ spent, tier }) => tier === 'standard' && spent >= goldFrom)
    .mapValues(({ version, customer, spent }) => ({ version, customer, spent }))
    .toStream()
    .to(promotions, { name: 'to-promotions' })
}

const goldFrom = 100_000

/**
 * Orders their shelf cannot serve. A foreign-key join: each order names its product, and both sides may change; goods that
 * arrive delete the shortages they end.
 */
const publishShortages = (orders: Orders, stock: Table<string, Shelf>): void => {
  orders
    .toTable({ store: 'orders' })
    .joinForeignKey(stock, {
      name: 'order-on-shelf',
      store: 'orders-on-shelf',
      value: OrderOnShelf,
      foreignKey: ({ product }) => product,
      join: ({ orderId, quantity }, { category, onHand }) => ({
        orderId,
        category,
        missing: quantity - onHand,
      }),
    })
    .filter(({ missing }) => missing > 0)
    .mapValues((shortage) => ({ version: 1 as const, ...shortage }))
    .toStream()
    .to(shortages, { name: 'to-shortages' })
}

const OrderOnShelf = z.object({ orderId: z.string(), category: z.string(), missing: z.int() })

/**
 * Order analytics: what Kafka Streams' own tutorials build, in one topology. Orders meet their customers and the shelves;
 * out come revenue by region and hour, bursts that look like fraud, shortages and promotions. Each function above is one
 * sentence of it.
 *
 * Run it with `millrace run topologies/order-analytics.ts`.
 */
export const orderAnalytics: Topology = topology(
  'order-analytics',
  (builder) => {
    const orders = builder.stream(orderPlaced, { name: 'orders' })
    const crm = builder.table(customers, { store: 'customers', name: 'customers' })
    const stock = builder.table(shelves, { store: 'shelves', name: 'shelves' })

    // Several questions are asked by customer: one repartition serves them all.
    const byCustomer = orders
      .selectKey(({ value }) => value.customer, { name: 'customer-of-order' })
      .repartition({ name: 'orders-by-customer', value: Order })

    publishRevenue(byCustomer, crm)
    publishFraud(byCustomer)
    publishPromotions(byCustomer, crm)
    publishShortages(orders, stock)
  },
  { owner: 'analytics' },
)
