/**
 * What every peer is measured at. One partition in and out, one thread; an order is 122 bytes of JSON with six fields,
 * its key is a customer's id of 11 bytes, and 100,000 customers take turns, a millisecond apart.
 *
 * | | Work per order | Shows |
 * |---|---|---|
 * | W1 | keep amounts of 100 and more (nine in ten), add `total` = amount × quantity, produce | JSON in and out, no state |
 * | W2 | count by key, values never read; each change is produced | a store and its changelog |
 * | W3 | orders and revenue by key as JSON; each change is produced | a store with decoded values, at least and exactly once |
 * | W4 | the same by key and minute, 10 seconds of grace | a window store |
 * | W5 | join with the table of 100,000 customers, produce what both know | a table that was read first |
 */
export const workloads = ['W1', 'W2', 'W3', 'W4', 'W5'] as const
export type Workload = (typeof workloads)[number]

export const guarantees = ['at-least-once', 'exactly-once'] as const
export type Guarantee = (typeof guarantees)[number]

export interface Order {
  readonly orderId: string
  readonly customerId: string
  readonly status: string
  readonly amount: number
  readonly currency: string
  readonly quantity: number
}

export interface Customer {
  readonly name: string
  readonly tier: string
}

export const customers = 100_000

/** 2026-01-01T00:00:00Z; orders follow a millisecond apart, so that runs are the same whenever they happen. */
const firstTimestamp = 1_767_225_600_000

export const customerId = (index: number): string => `cust-${String(index % customers).padStart(6, '0')}`

/** The order number `index`: the same in every run. 7919 is prime, so that amounts do not follow the customers. */
export const orderAt = (index: number): Order => ({
  orderId: `order-${String(index).padStart(8, '0')}`,
  customerId: customerId(index),
  status: index % 3 === 0 ? 'created' : 'updated',
  amount: (1 + ((index * 7919) % 99_999)) / 100,
  currency: 'EUR',
  quantity: 1 + (index % 5),
})

export const customerAt = (index: number): Customer => ({
  name: `Customer ${index}`,
  tier: index % 10 === 0 ? 'gold' : 'standard',
})

export const orderTimestamp = (index: number): number => firstTimestamp + index

/** The table is older than every order, so that a join by time finds it complete. */
export const customerTimestamp = firstTimestamp - 1

/** The inputs are made once per number of records, and shared by all peers. */
export const ordersTopic = (records: number): string => `bench-orders-${records}`
export const customersTopic = 'bench-customers'
