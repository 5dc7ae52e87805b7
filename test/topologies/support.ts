import type { Order, Warehouse } from '../../topologies/contracts.ts'
import { stockReceived } from '../../topologies/contracts.ts'
import type { TestDriver } from 'millrace/testing'

/** An order as a test needs it: one lamp for 20 euros on a good card, unless it says otherwise. */
export const anOrder = (orderId: string, changes: Partial<Order> = {}): Order => ({
  version: 1,
  orderId,
  customer: 'Ada',
  product: 'lamp',
  quantity: 1,
  amount: 2_000,
  card: 'visa',
  ...changes,
})

export const stock = (driver: TestDriver, warehouse: Warehouse, product: string, quantity: number): void =>
  driver.input(stockReceived).pipe(product, { version: 1, product, quantity, warehouse })
