import { checkArgument } from '../base/options.ts'
import { sinkTopicOf } from './describe.ts'
import type { TopologyProblem } from './problem.ts'
import type { Topology } from './topology.ts'
import { topologyListKind } from './topology-kind.ts'
import { isSink, readTopics } from './validate-topics.ts'

/**
 * What is wrong with topologies that run beside each other and share topics: two of one name, and events that go in a
 * circle over several services, which no service sees alone. The commands and replies of a saga are no such circle, as
 * the saga ends every conversation by itself.
 *
 * @example
 * expect(validateTogether([payment, shipping])).toEqual([])
 */
export const validateTogether = (topologies: readonly Topology[]): readonly TopologyProblem[] => {
  checkArgument('validateTogether', topologies, topologyListKind)
  return [...sharedNames(topologies), ...circles(topologies.filter((topology) => !isOrchestrator(topology)))]
}

const isOrchestrator = ({ nodes }: Topology): boolean =>
  nodes.some((node) => node.kind === 'process' && node.verb === 'saga')

const sharedNames = (topologies: readonly Topology[]): readonly TopologyProblem[] =>
  topologies
    .filter(({ name }, index) => topologies.findIndex((other) => other.name === name) < index)
    .map(({ name }) => ({
      severity: 'error',
      code: 'APPLICATION_NAME_TAKEN',
      message: `two topologies are called '${name}': they would share offsets, changelogs and repartition topics`,
      remedy: 'give one of them another name',
    }))

interface Step {
  readonly topics: readonly string[]
  readonly to: Topology
}

/** Follows topics from topology to topology; each circle is reported once, from the one of its topologies listed first. */
const circles = (topologies: readonly Topology[]): readonly TopologyProblem[] => {
  const problems: TopologyProblem[] = []
  const follow = (path: readonly Step[], start: Topology): void => {
    const here = path.at(-1)?.to ?? start
    for (const step of stepsFrom(here, topologies)) {
      const isLater = topologies.indexOf(step.to) > topologies.indexOf(start)
      if (step.to === start && path.length > 0) problems.push(circle(start, [...path, step]))
      else if (isLater && !path.some(({ to }) => to === step.to)) follow([...path, step], start)
    }
  }
  for (const topology of topologies) follow([], topology)
  return problems
}

const stepsFrom = (from: Topology, topologies: readonly Topology[]): readonly Step[] => {
  const written = new Set(from.nodes.filter(isSink).map(sinkTopicOf))
  return topologies
    .map((to) => ({
      topics: [...new Set(to.nodes.flatMap(readTopics))].filter((topic) => written.has(topic)),
      to,
    }))
    .filter(({ topics }) => topics.length > 0)
}

const circle = (start: Topology, path: readonly Step[]): TopologyProblem => ({
  severity: 'warning',
  code: 'TOPIC_CIRCLE',
  message: `events go in a circle: ${start.name}${path
    .map(({ topics, to }) => ` → ${topics.join(' or ')} → ${to.name}`)
    .join('')}`,
  remedy: 'see that some service ends it',
})
