/**
 * What Millrace and its peers are measured at. One partition in and out, one worker; an order is 122 bytes of JSON with
 * six fields, its key is a customer's id of 11 bytes, and 100,000 customers take turns, a millisecond apart.
 *
 * | | Work | Shows |
 * |---|---|---|
 * | W1 | parse, keep half of the orders, add a total, serialise, produce; at-least-once | JSON in and out, no state |
 * | W2 | the same, exactly-once | what transactions cost |
 * | W3 | count by key, values never read; each change is produced | a persistent store and its changelog |
 * | W4 | join with a global table of 100,000 customers | a table every task holds whole |
 * | W5 | join with a payment for every other order, within 500 ms | window stores of two streams |
 * | W6 | restore the store of W3 from its changelog, after a clean stop and with the state wiped | the way back |
 * | W7 | W1 at 2,000 records a second | latency |
 * | W8 | W1 with no record to come | what a worker costs that has nothing to do |
 * | W9 | W1 at 20 records a second | what a worker costs that has little to do |
 */
export const workloads = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'W7', 'W8', 'W9'] as const
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

export interface Payment {
  readonly paymentId: string
  readonly orderId: string
  readonly amount: number
}

export const customers = 100_000

/** Amounts from here on are kept by W1: half of them. */
export const keptFrom = 500

export const joinWithinMs = 500
const paymentDelayMs = 200

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

/** The payment number `index` is for the order of twice the number. */
export const paymentAt = (index: number): Payment => ({
  paymentId: `payment-${String(index).padStart(8, '0')}`,
  orderId: `order-${String(index * 2).padStart(8, '0')}`,
  amount: orderAt(index * 2).amount,
})

export const orderTimestamp = (index: number): number => firstTimestamp + index
export const paymentTimestamp = (index: number): number => orderTimestamp(index * 2) + paymentDelayMs

/** The table is older than every order, so that a join by time finds it complete. */
export const customerTimestamp = firstTimestamp - 1

/** The workloads that a plain loop without a durable store can do. */
export const isStateless = (workload: Workload): boolean =>
  workload === 'W1' || workload === 'W2' || isPaced(workload)

/** The workloads that W1's topology does at a pace: the runner writes their input while they run. */
export const isPaced = (workload: Workload): boolean => ['W7', 'W8', 'W9'].includes(workload)

/** The workloads whose result is the share of a core that a quiet worker takes. */
export const isQuiet = (workload: Workload): boolean => workload === 'W8' || workload === 'W9'

/** How many records of all inputs a run processes, for so many orders. */
export const inputRecords = (workload: Workload, orders: number): number =>
  workload === 'W5' ? orders + Math.floor(orders / 2) : orders

/** The store that W3 fills and W6 restores. */
export const countStore = 'orders-by-customer'

export interface WorkloadTopics {
  readonly orders: string
  readonly payments: string
  readonly customers: string
  readonly output: string
}

/** Inputs are made once for so many records and shared by all runs, but for those that a run writes itself. */
export const topicsOf = (workload: Workload, records: number, applicationId: string): WorkloadTopics => ({
  orders: workload === 'W6' || isPaced(workload) ? `${applicationId}-input` : `bench-orders-${records}`,
  payments: `bench-payments-${Math.floor(records / 2)}`,
  customers: 'bench-customers',
  output: `${applicationId}-output`,
})
