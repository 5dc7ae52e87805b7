import * as z from 'zod'
import type { Topology } from 'millrace'
import { otherwise, topology } from 'millrace'
import { Charge, charge } from './business/charge.ts'
import { answerOnce, answered, freshAnswers, unanswered } from './business/once.ts'
import { Order, inventoryUpdated, orderOf, paymentCompleted, paymentFailed } from './contracts.ts'

const Charged = z.object({ order: Order, charge: Charge })

/**
 * Payment, choreographed: goods that were set aside are charged, once for each order. It knows the events it reads and
 * writes, and no customer's name.
 *
 * Run it with `millrace run topologies/payment.ts`.
 */
export const payment: Topology = topology(
  'payment',
  (builder) => {
    builder
      .stream(inventoryUpdated)
      .groupByKey()
      .aggregate({
        store: 'charges',
        value: answered(Charged),
        initial: unanswered,
        add: (known, order, { origin }) =>
          answerOnce(known, origin, () => ({ order: orderOf(order), charge: charge(order) })),
      })
      .toStream()
      .pipeValues(freshAnswers())
      .split({ paid: ({ value }) => value.charge.paid, failed: otherwise }, ({ paid, failed }) => {
        paid.mapValues(({ order, charge: { paymentId } }) => ({ ...order, paymentId })).to(paymentCompleted)
        failed.mapValues(({ order, charge: { reason } }) => ({ ...order, reason })).to(paymentFailed)
      })
  },
  { owner: 'payment' },
)
