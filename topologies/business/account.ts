import * as z from 'zod'
import type { Order } from '../contracts.ts'
import { Order as OrderSchema } from '../contracts.ts'
import { Charge, charge } from './charge.ts'

/**
 * What a payment service remembers of one order, as pure functions: charged once, refunded once, and a refund that
 * overtakes its charge makes the charge come to nothing.
 */
export const Account = z.object({
  charge: Charge.nullable(),
  refunded: z.boolean(),
  /** What is to be replied to the last command. */
  answer: z
    .object({ kind: z.enum(['paid', 'refused', 'refunded']), order: OrderSchema, charge: Charge })
    .nullable(),
})
export type Account = z.output<typeof Account>

export const noAccount: Account = { charge: null, refunded: false, answer: null }

export const PaymentCommand = z.object({ kind: z.enum(['charge', 'refund']), order: OrderSchema })
export type PaymentCommand = z.output<typeof PaymentCommand>

/** The account after a command; a command it knows already is answered as before. */
export const settle = (account: Account, { kind, order }: PaymentCommand): Account =>
  kind === 'charge' ? charged(account, order) : refunded(account, order)

const charged = (account: Account, order: Order): Account => {
  const made = account.charge ?? (account.refunded ? cancelled : charge(order))
  return { ...account, charge: made, answer: { kind: made.paid ? 'paid' : 'refused', order, charge: made } }
}

const refunded = (account: Account, order: Order): Account => ({
  ...account,
  refunded: true,
  answer: { kind: 'refunded', order, charge: account.charge ?? cancelled },
})

const cancelled: Charge = { paid: false, paymentId: '', reason: 'cancelled before it was charged' }
