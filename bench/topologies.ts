import * as z from 'zod'
import type { Topology } from 'millrace'
import { long, topic, topology, within } from 'millrace'
import type { Order as OrderType, Workload, WorkloadTopics } from './peers/workloads.ts'
import { countStore, joinWithinMs, keptFrom } from './peers/workloads.ts'

/** The workloads as a user of Millrace writes them: contracts are zod schemas, values are JSON. */
export const Order = z.object({
  orderId: z.string(),
  customerId: z.string(),
  status: z.string(),
  amount: z.number(),
  currency: z.string(),
  quantity: z.int(),
})
export const PricedOrder = Order.extend({ total: z.number() })
const Customer = z.object({ name: z.string(), tier: z.string() })
const EnrichedOrder = Order.pick({ orderId: true, customerId: true, amount: true }).extend({
  tier: z.string(),
})
const Payment = z.object({ paymentId: z.string(), orderId: z.string(), amount: z.number() })
const PaidOrder = Order.pick({ orderId: true, customerId: true, amount: true }).extend({
  paymentId: z.string(),
})

export const workloadTopology = (
  workload: Workload,
  topics: WorkloadTopics,
  withinMs: number = joinWithinMs,
): Topology =>
  topology(`bench-${workload.toLowerCase()}`, (builder) => {
    const orders = builder.stream(topic(topics.orders, { value: Order }))
    switch (workload) {
      case 'W1':
      case 'W2':
      case 'W7':
      case 'W8':
      case 'W9':
        return orders
          .filter(({ value }) => value.amount >= keptFrom)
          .mapValues(price)
          .to(topic(topics.output, { value: PricedOrder }))
      case 'W3':
      case 'W6':
        return orders
          .groupByKey()
          .count({ store: countStore })
          .toStream()
          .to(topic(topics.output, { value: long }))
      case 'W4': {
        const table = builder.globalTable(topic(topics.customers, { value: Customer }), {
          store: 'customers',
        })
        return orders
          .join(
            table,
            ({ value }) => value.customerId,
            ({ orderId, customerId, amount }, { tier }) => ({ orderId, customerId, amount, tier }),
          )
          .to(topic(topics.output, { value: EnrichedOrder }))
      }
      case 'W5': {
        const payments = builder.stream(topic(topics.payments, { value: Payment }))
        return orders
          .join(
            payments,
            ({ orderId, customerId, amount }, { paymentId }) => ({ orderId, customerId, amount, paymentId }),
            { name: 'paid', windows: within(withinMs) },
          )
          .to(topic(topics.output, { value: PaidOrder }))
      }
    }
  })

export const price = (order: OrderType): OrderType & { readonly total: number } => ({
  ...order,
  total: order.amount * order.quantity,
})
