import type { Stream, Topic, Topology, TopologyBuilder } from 'millrace'
import { topology } from 'millrace'
import {
  auditLog as log,
  deliveryStarted,
  orderFulfilled,
  orderRequested,
  paymentDone,
  paymentRefunded,
  paymentRefused,
  processPayment,
  refundPayment,
  releaseStock,
  reserveStock,
  startDelivery,
  stockRefused,
  stockReleased,
  stockReserved,
} from './contracts.ts'

interface Entry {
  readonly topic: string
  readonly at: number
  readonly value: unknown
}

const entries = <V>(builder: TopologyBuilder, topic: Topic<string, V>): Stream<string, Entry> =>
  builder
    .stream(topic)
    .mapValues((value, { timestamp }): Entry => ({ topic: topic.name, at: timestamp, value }))

/**
 * The audit log, choreographed beside the orchestrated core: every request, command, reply and outcome on one topic,
 * under its order, for later audits.
 *
 * Run it with `millrace run topologies/audit-log.ts`.
 */
export const auditLog: Topology = topology(
  'audit-log',
  (builder) => {
    const requested = entries(builder, orderRequested)
    const commands = [
      entries(builder, reserveStock),
      entries(builder, releaseStock),
      entries(builder, processPayment),
      entries(builder, refundPayment),
      entries(builder, startDelivery),
    ]
    const replies = [
      entries(builder, stockReserved),
      entries(builder, stockRefused),
      entries(builder, stockReleased),
      entries(builder, paymentDone),
      entries(builder, paymentRefused),
      entries(builder, paymentRefunded),
      entries(builder, deliveryStarted),
    ]
    ;[...commands, ...replies, entries(builder, orderFulfilled)]
      .reduce((all, each) => all.merge(each), requested)
      .to(log)
  },
  { owner: 'audit' },
)
