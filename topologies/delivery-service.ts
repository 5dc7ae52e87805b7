import type { Topology } from 'millrace'
import { topology } from 'millrace'
import { trackingIdOf } from './business/delivery.ts'
import { deliveryStarted, orderOf, startDelivery } from './contracts.ts'

/**
 * Delivery, by command. The carrier's number follows from the order, so a command that comes twice starts one delivery
 * and gets the same reply.
 *
 * Run it with `millrace run topologies/delivery-service.ts`.
 */
export const deliveryService: Topology = topology(
  'delivery-service',
  (builder) => {
    builder
      .stream(startDelivery)
      .mapValues((command) => ({ ...orderOf(command), trackingId: trackingIdOf(command) }))
      .to(deliveryStarted)
  },
  { owner: 'delivery' },
)
