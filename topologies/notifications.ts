import { map } from 'rxjs'
import type { Topology } from 'millrace'
import { topology } from 'millrace'
import { answerOnce, answered, freshAnswers, unanswered } from './business/once.ts'
import { letterText } from './business/letter.ts'
import { customerNotified, orderFulfilled } from './contracts.ts'
import * as z from 'zod'

const Letter = z.object({ orderId: z.string(), customer: z.string(), text: z.string() })

/**
 * Notifications, choreographed beside the orchestrated core: every order that has come to its end is sent to its
 * customer, once. The saga does not know that anybody listens.
 *
 * Run it with `millrace run topologies/notifications.ts`.
 */
export const notifications: Topology = topology(
  'notifications',
  (builder) => {
    builder
      .stream(orderFulfilled)
      .filter(({ value }) => value.outcome !== 'STUCK')
      .groupByKey()
      .aggregate({
        store: 'letters',
        value: answered(Letter),
        initial: unanswered,
        add: (known, order, { origin }) =>
          answerOnce(known, origin, () => ({
            orderId: order.orderId,
            customer: order.customer,
            text: letterText(order.outcome, order.reason),
          })),
      })
      .toStream()
      .pipeValues(
        freshAnswers(),
        map((letter) => ({ ...letter, version: 1 as const })),
      )
      .to(customerNotified)
  },
  { owner: 'notifications' },
)
