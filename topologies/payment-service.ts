import type { Topology } from 'millrace'
import { topology } from 'millrace'
import type { PaymentCommand } from './business/account.ts'
import { Account, noAccount, settle } from './business/account.ts'
import {
  orderOf,
  paymentDone,
  paymentRefunded,
  paymentRefused,
  processPayment,
  refundPayment,
} from './contracts.ts'

/**
 * Payment, by command: charges and refunds, each once for an order, and answers every command, also one it has done
 * before.
 *
 * Run it with `millrace run topologies/payment-service.ts`.
 */
export const paymentService: Topology = topology(
  'payment-service',
  (builder) => {
    const charges = builder.stream(processPayment).mapValues((value) => command('charge', value))
    const refunds = builder.stream(refundPayment).mapValues((value) => command('refund', value))
    charges
      .merge(refunds)
      .groupByKey()
      .aggregate({ store: 'accounts', value: Account, initial: noAccount, add: settle })
      .toStream()
      .flatMapValues((account) => (account?.answer == null ? [] : [account.answer]))
      .split(
        {
          paid: ({ value }) => value.kind === 'paid',
          refused: ({ value }) => value.kind === 'refused',
          refunded: ({ value }) => value.kind === 'refunded',
        },
        ({ paid, refused, refunded }) => {
          paid.mapValues(({ order, charge: { paymentId } }) => ({ ...order, paymentId })).to(paymentDone)
          refused.mapValues(({ order, charge: { reason } }) => ({ ...order, reason })).to(paymentRefused)
          refunded.mapValues(({ order }) => order).to(paymentRefunded)
        },
      )
  },
  { owner: 'payment' },
)

const command = (kind: PaymentCommand['kind'], value: PaymentCommand['order']): PaymentCommand => ({
  kind,
  order: orderOf(value),
})
