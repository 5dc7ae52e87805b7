import * as z from 'zod'
import type { Topology } from 'millrace'
import { topology } from 'millrace'
import { answerOnce, answered, freshAnswers, unanswered } from './business/once.ts'
import { Order, orderFulfilled, orderOf, salesByProduct } from './contracts.ts'

const Sales = z.object({ orders: z.int(), amount: z.int() })

/**
 * Analytics, choreographed beside the orchestrated core: what was sold, by product, each order counted once.
 *
 * Run it with `millrace run topologies/analytics.ts`.
 */
export const analytics: Topology = topology(
  'analytics',
  (builder) => {
    builder
      .stream(orderFulfilled)
      .filter(({ value }) => value.outcome === 'COMPLETED')
      .groupByKey()
      .aggregate({
        store: 'counted-orders',
        value: answered(Order),
        initial: unanswered,
        add: (known, order, { origin }) => answerOnce(known, origin, () => orderOf(order)),
      })
      .toStream()
      .pipeValues(freshAnswers())
      .groupBy(({ value }) => value.product, { name: 'by-product', value: Order })
      .aggregate({
        store: 'sales',
        value: Sales,
        initial: { orders: 0, amount: 0 },
        add: ({ orders, amount }, order) => ({ orders: orders + 1, amount: amount + order.amount }),
      })
      .toStream()
      .flatMap(({ key: product, value }) =>
        value === null ? [] : [{ key: product, value: { version: 1 as const, product, ...value } }],
      )
      .to(salesByProduct)
  },
  { owner: 'analytics' },
)
