import * as z from 'zod'
import { topic } from 'millrace'
import { Order } from './contracts.ts'

/** What order analytics reads beside the orders, and what it publishes. Amounts are in cents, times in milliseconds. */
const version = z.literal(1).default(1)

// Read as tables: the latest row by key.
export const Customer = z.object({ version, region: z.string(), tier: z.enum(['standard', 'gold']) })
export type Customer = z.output<typeof Customer>
export const customers = topic('customers', { value: Customer, owner: 'crm', partitions: 3 })

export const Shelf = z.object({ version, category: z.string(), onHand: z.int().nonnegative() })
export type Shelf = z.output<typeof Shelf>
export const shelves = topic('shelves', { value: Shelf, owner: 'warehouse', partitions: 2 })

// Published.
const owner = 'analytics'
const period = { from: z.int(), until: z.int() }

export const Revenue = z.object({ version, region: z.string(), orders: z.int(), amount: z.int(), ...period })
export const revenueByRegion = topic('revenue-by-region', { value: Revenue, owner })

export const FraudAlert = z.object({
  version,
  customer: z.string(),
  orders: z.int(),
  cards: z.int(),
  ...period,
})
export const fraudAlerts = topic('fraud-alerts', { value: FraudAlert, owner })

/** An order as it came, when its hour had been published already. */
export const lateOrders = topic('late-orders', {
  value: z.object({ ...Order.shape, region: z.string() }),
  owner,
})

/** Orders the shelf cannot serve now; deleted once it can. */
export const Shortage = z.object({ version, orderId: z.string(), category: z.string(), missing: z.int() })
export const shortages = topic('shortages', { value: Shortage, owner })

/** Customers who have earned a better tier. */
export const Promotion = z.object({ version, customer: z.string(), spent: z.int() })
export const promotions = topic('promotions', { value: Promotion, owner })
