import * as z from 'zod'
import type { Topic } from 'millrace'
import { nullable, string, topic } from 'millrace'

/**
 * The contracts of the order system: all that its services share. A contract is a topic, the schema of its values, and
 * the owner that answers for both. Every value carries its version, so a reader refuses what it was not written for.
 * docs/naming.md holds the other spellings in use for the same events.
 */
const contract = <Shape extends z.ZodRawShape>(
  name: string,
  owner: string,
  title: string,
  shape: Shape,
): Topic<string, z.output<z.ZodObject<Shape & typeof versioned>>> =>
  topic(name, {
    value: z.object({ ...versioned, ...shape }).meta({ title: `${title} v1` }),
    owner,
    partitions: 3,
  }) as Topic<string, z.output<z.ZodObject<Shape & typeof versioned>>>

/** Left out means 1; any other number is refused. */
const versioned = { version: z.literal(1).default(1) }

/** What every event says about an order, so that no service has to ask another. Amounts are in cents. */
const order = {
  orderId: z.string().min(1),
  customer: z.string().min(1),
  product: z.string().min(1),
  quantity: z.int().positive(),
  amount: z.int().nonnegative(),
  card: z.string().min(1),
}
export const Order = z.object({ ...versioned, ...order })
export type Order = z.output<typeof Order>

/** The order in an event, a command or a reply that carries more. */
export const orderOf = ({ version, orderId, customer, product, quantity, amount, card }: Order): Order => ({
  version,
  orderId,
  customer,
  product,
  quantity,
  amount,
  card,
})

const reason = { reason: z.string() }

// The hands-on exercise: one topic, one field.
export const orders = topic('orders', {
  value: z.object({ status: z.string() }),
  owner: 'order',
  partitions: 1,
})

// Goods arrive. Each warehouse is served by one service: `north` by choreography, `south` by orchestration.
export const warehouses = ['north', 'south'] as const
export type Warehouse = (typeof warehouses)[number]
export const stockReceived = contract('stock-received', 'warehouse', 'StockReceived', {
  product: z.string().min(1),
  quantity: z.int().positive(),
  warehouse: z.enum(warehouses),
})

/** How much of a product is on the shelf of a warehouse, published whenever goods arrive. */
export const stockLevel = contract('stock-level', 'warehouse', 'StockLevel', {
  product: z.string().min(1),
  warehouse: z.enum(warehouses),
  onHand: z.int().nonnegative(),
})

// Choreography: events only. Keyed by order.
export const orderPlaced = contract('order-placed', 'order', 'OrderPlaced', order)
export const inventoryUpdated = contract('inventory-updated', 'inventory', 'InventoryUpdated', {
  ...order,
  left: z.int().nonnegative(),
})
export const orderRejected = contract('order-rejected', 'inventory', 'OrderRejected', { ...order, ...reason })
export const inventoryRestored = contract('inventory-restored', 'inventory', 'InventoryRestored', {
  ...order,
  left: z.int().nonnegative(),
})
export const paymentCompleted = contract('payment-completed', 'payment', 'PaymentCompleted', {
  ...order,
  paymentId: z.string(),
})
export const paymentFailed = contract('payment-failed', 'payment', 'PaymentFailed', { ...order, ...reason })
export const orderShipped = contract('order-shipped', 'shipping', 'OrderShipped', {
  ...order,
  trackingId: z.string(),
})

/** Where an order stands, as the order service publishes it. */
export const OrderState = z.enum([
  'placed',
  'reserved',
  'paid',
  'shipped',
  'rejected',
  'payment-failed',
  'cancelled',
])
export type OrderState = z.output<typeof OrderState>
export const orderStatus = contract('order-status', 'order', 'OrderStatus', {
  orderId: z.string(),
  state: OrderState,
})

// Orchestration: a request, then commands and replies. Keyed by order, which is the saga's id too.
export const orderRequested = contract('order-requested', 'order', 'OrderRequested', order)
export const reserveStock = contract('reserve-stock', 'stock', 'ReserveStock', order)
export const stockReserved = contract('stock-reserved', 'stock', 'StockReserved', { ...order, left: z.int() })
export const stockRefused = contract('stock-refused', 'stock', 'StockRefused', { ...order, ...reason })
export const releaseStock = contract('release-stock', 'stock', 'ReleaseStock', order)
export const stockReleased = contract('stock-released', 'stock', 'StockReleased', { ...order, left: z.int() })
export const processPayment = contract('process-payment', 'payment', 'ProcessPayment', order)
export const paymentDone = contract('payment-done', 'payment', 'PaymentDone', {
  ...order,
  paymentId: z.string(),
})
export const paymentRefused = contract('payment-refused', 'payment', 'PaymentRefused', {
  ...order,
  ...reason,
})
export const refundPayment = contract('refund-payment', 'payment', 'RefundPayment', order)
export const paymentRefunded = contract('payment-refunded', 'payment', 'PaymentRefunded', order)
export const startDelivery = contract('start-delivery', 'delivery', 'StartDelivery', {
  ...order,
  paymentId: z.string(),
})
export const deliveryStarted = contract('delivery-started', 'delivery', 'DeliveryStarted', {
  ...order,
  trackingId: z.string(),
})
export const orderFulfilled = contract('order-fulfilled', 'order-fulfilment', 'OrderFulfilled', {
  ...order,
  outcome: z.enum(['COMPLETED', 'COMPENSATED', 'REJECTED', 'STUCK']),
  reason: z.string().nullable(),
})

// Beside the orchestrated core, choreographed.
export const customerNotified = contract('customer-notified', 'notifications', 'CustomerNotified', {
  orderId: z.string(),
  customer: z.string(),
  text: z.string(),
})
export const salesByProduct = contract('sales-by-product', 'analytics', 'SalesByProduct', {
  product: z.string(),
  orders: z.int(),
  amount: z.int(),
})
export const auditLog = topic('audit-log', {
  key: nullable(string),
  value: z.object({ topic: z.string(), at: z.int(), value: z.unknown() }).meta({ title: 'AuditEntry v1' }),
  owner: 'audit',
  partitions: 3,
})

/** Takes what no service can read. */
export const deadLetterTopic = 'dead-letters'
