import type { Saga, Topology } from 'millrace'
import { refuses, saga, sagaTopology, seconds, succeeds } from 'millrace'
import {
  deliveryStarted,
  orderFulfilled,
  orderOf,
  orderRequested,
  paymentDone,
  paymentRefunded,
  paymentRefused,
  processPayment,
  refundPayment,
  releaseStock,
  reserveStock,
  startDelivery,
  stockRefused,
  stockReleased,
  stockReserved,
} from './contracts.ts'

/**
 * The orchestrator: it commands the stock to reserve, waits for the reply, commands the payment to charge, waits, commands the
 * delivery to start. Where a step fails, what was done before is undone in reverse order. A delivery is never undone:
 * it is commanded again until it starts.
 */
export const fulfilment: Saga = saga('order-fulfilment', {
  owner: 'order-fulfilment',
  startedBy: orderRequested,
  timeout: seconds(30),
  retry: { attempts: 3, backoff: seconds(1) },
  steps: (step) => ({
    reserve: step({
      command: { to: reserveStock, value: ({ start }) => orderOf(start) },
      replies: { reserved: succeeds(stockReserved), refused: refuses(stockRefused) },
      undo: {
        to: releaseStock,
        value: ({ start }) => orderOf(start),
        replies: { released: succeeds(stockReleased) },
      },
    }),
    charge: step({
      command: { to: processPayment, value: ({ start }) => orderOf(start) },
      replies: { done: succeeds(paymentDone), refused: refuses(paymentRefused) },
      undo: {
        to: refundPayment,
        value: ({ start }) => orderOf(start),
        replies: { refunded: succeeds(paymentRefunded) },
      },
    }),
    deliver: step({
      kind: 'retriable',
      command: {
        to: startDelivery,
        value: ({ start, reply }) => ({ ...orderOf(start), paymentId: reply(paymentDone)?.paymentId ?? '' }),
      },
      replies: { started: succeeds(deliveryStarted) },
      retry: { attempts: 10, backoff: seconds(1) },
    }),
  }),
  outcome: {
    to: orderFulfilled,
    value: ({ start, reply }, { status, failure }) => ({
      ...orderOf(start),
      outcome: status,
      reason:
        reply(stockRefused)?.reason ??
        reply(paymentRefused)?.reason ??
        (failure === null ? null : `${failure.step}: ${failure.reason}`),
    }),
  },
})

/** Run it with `millrace run topologies/order-fulfilment.ts`. */
export const orderFulfilment: Topology = sagaTopology(fulfilment)
