import * as z from 'zod'
import type { Order } from '../contracts.ts'

/** Charging a card, as a pure function; a real service would call its payment provider with `mapAsync`. */
export const Charge = z.object({
  paid: z.boolean(),
  paymentId: z.string(),
  /** Why not, where it was not paid. */
  reason: z.string(),
})
export type Charge = z.output<typeof Charge>

/** What one card may be charged at once, in cents. */
const limit = 500_000

/** Charges an order. The payment's id follows from the order, so that a second try finds the first. */
export const charge = ({ orderId, amount, card }: Order): Charge => {
  const reason = refusalOf(amount, card)
  return { paid: reason === '', paymentId: reason === '' ? `payment-of-${orderId}` : '', reason }
}

const refusalOf = (amount: number, card: string): string => {
  if (card.endsWith('declined')) return 'card declined'
  if (amount > limit) return 'over the limit'
  return ''
}
