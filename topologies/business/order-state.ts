import type { OrderState } from '../contracts.ts'

/** How far along each state is: events of different topics may overtake each other, an order never goes back. */
const rank: Readonly<Record<OrderState, number>> = {
  placed: 0,
  reserved: 1,
  paid: 2,
  'payment-failed': 2,
  shipped: 3,
  cancelled: 3,
  rejected: 3,
}

/** The state after hearing of `next`. */
export const advance = (current: OrderState, next: OrderState): OrderState =>
  rank[next] > rank[current] ? next : current
