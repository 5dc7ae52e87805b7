import type { Topology } from 'millrace'
import { inventoryRestored, orderRejected, paymentFailed } from './contracts.ts'

/**
 * A choreography has no controller that would notice when a service does not listen. This is the list of failure events
 * and of the services that must react to them, and a check that reads the topologies themselves.
 */
const mustReact: Readonly<Record<string, readonly string[]>> = {
  [paymentFailed.name]: ['inventory', 'order'],
  [orderRejected.name]: ['order'],
  [inventoryRestored.name]: ['order'],
}

/** One sentence for each service that ignores a failure it must react to; empty where all is well. */
export const ignoredFailures = (topologies: readonly Topology[]): readonly string[] =>
  Object.entries(mustReact).flatMap(([event, services]) =>
    services
      .filter(
        (service) => !topologies.some(({ name, nodes }) => name === service && readsTopic(nodes, event)),
      )
      .map((service) => `${service} must react to ${event}, but does not read it`),
  )

const readsTopic = (nodes: Topology['nodes'], topic: string): boolean =>
  nodes.some(
    (node) =>
      node.kind === 'source' &&
      (node.topics instanceof RegExp
        ? node.topics.test(topic)
        : node.topics.some(({ name }) => name === topic)),
  )
