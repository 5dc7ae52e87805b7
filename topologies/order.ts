import type { Stream, Topology } from 'millrace'
import { topology } from 'millrace'
import { advance } from './business/order-state.ts'
import {
  OrderState,
  inventoryRestored,
  inventoryUpdated,
  orderPlaced,
  orderRejected,
  orderShipped,
  orderStatus,
  paymentCompleted,
  paymentFailed,
} from './contracts.ts'

/**
 * The order service, choreographed: it owns `order-placed`, and learns from the events of the others where each order
 * stands. A failed payment is an event it must not ignore.
 *
 * Run it with `millrace run topologies/order.ts`.
 */
export const order: Topology = topology(
  'order',
  (builder) => {
    const heard: Stream<string, OrderState> = [
      builder.stream(inventoryUpdated).mapValues((): OrderState => 'reserved'),
      builder.stream(orderRejected).mapValues((): OrderState => 'rejected'),
      builder.stream(paymentCompleted).mapValues((): OrderState => 'paid'),
      builder.stream(paymentFailed).mapValues((): OrderState => 'payment-failed'),
      builder.stream(inventoryRestored).mapValues((): OrderState => 'cancelled'),
      builder.stream(orderShipped).mapValues((): OrderState => 'shipped'),
    ].reduce(
      (all, each) => all.merge(each),
      builder.stream(orderPlaced).mapValues((): OrderState => 'placed'),
    )
    heard
      .groupByKey({ value: OrderState })
      .aggregate({
        store: 'order-states',
        value: OrderState,
        initial: 'placed',
        add: advance,
      })
      .toStream()
      .mapValues((state, { key: orderId }) => ({ version: 1 as const, orderId, state: state ?? 'placed' }))
      .to(orderStatus)
  },
  { owner: 'order' },
)
