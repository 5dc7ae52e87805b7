import { map } from 'rxjs'
import type { Topology } from 'millrace'
import { topology } from 'millrace'
import { answerOnce, answered, freshAnswers, unanswered } from './business/once.ts'
import { trackingIdOf } from './business/delivery.ts'
import { Order, orderOf, orderShipped, paymentCompleted } from './contracts.ts'

/**
 * Shipping, choreographed: what was paid for is sent off, once for each order.
 *
 * Run it with `millrace run topologies/shipping.ts`.
 */
export const shipping: Topology = topology(
  'shipping',
  (builder) => {
    builder
      .stream(paymentCompleted)
      .groupByKey()
      .aggregate({
        store: 'deliveries',
        value: answered(Order),
        initial: unanswered,
        add: (known, order, { origin }) => answerOnce(known, origin, () => orderOf(order)),
      })
      .toStream()
      .pipeValues(
        freshAnswers(),
        map((order) => ({ ...order, trackingId: trackingIdOf(order) })),
      )
      .to(orderShipped)
  },
  { owner: 'shipping' },
)
