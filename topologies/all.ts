import type { Topology } from 'millrace'
import { analytics } from './analytics.ts'
import { auditLog } from './audit-log.ts'
import { deliveryService } from './delivery-service.ts'
import { inventory } from './inventory.ts'
import { notifications } from './notifications.ts'
import { order } from './order.ts'
import { orderFulfilment } from './order-fulfilment.ts'
import { payment } from './payment.ts'
import { paymentService } from './payment-service.ts'
import { shipping } from './shipping.ts'
import { stockService } from './stock-service.ts'

/** The order system by flow; `millrace run topologies/all.ts` runs all of it in one process. */
export const choreography: readonly Topology[] = [order, inventory, payment, shipping]
export const orchestration: readonly Topology[] = [
  orderFulfilment,
  stockService,
  paymentService,
  deliveryService,
]
export const hybrid: readonly Topology[] = [notifications, analytics, auditLog]
