import type { Topology } from 'millrace'
import { topology } from 'millrace'
import { settings } from '../config/settings.ts'
import { orders } from './contracts.ts'

/**
 * The hands-on exercise: a service that reacts to one kind of event. Which one is configured: `listen_status` in
 * `config/settings.json`, or `LISTEN_STATUS` in the environment.
 *
 * @example
 * millrace run topologies/hands-on.ts
 * echo 'order-123={"status": "created"}' |
 *   millrace produce --topic orders --property parse.key=true --property key.separator==
 * // Order order-123 received with status created
 */
export const listenToOrders = (
  listenStatus: string,
  print: (line: string) => void = (line) => console.log(line),
): Topology =>
  topology(
    'order-processor',
    (builder) => {
      builder
        .stream(orders)
        .filter(({ value }) => value.status === listenStatus)
        .forEach(({ key, value }) => print(`Order ${key} received with status ${value.status}`))
    },
    { owner: 'order' },
  )

export const orderProcessor: Topology = listenToOrders(settings.listenStatus)
