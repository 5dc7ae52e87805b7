import { sinkTopicOf } from './describe.ts'
import type { TopologyProblem } from './problem.ts'
import type { Topology } from './topology.ts'
import { isSink, readTopics } from './validate-topics.ts'

/**
 * What is wrong with topologies that run beside each other and share topics: two of one name, and events that go in a
 * circle over several services, which no service sees alone.
 */
export const validateTogether = (topologies: readonly Topology[]): readonly TopologyProblem[] => [
  ...sharedNames(topologies),
  ...circles(topologies),
]

const sharedNames = (topologies: readonly Topology[]): readonly TopologyProblem[] =>
  topologies
    .filter(({ name }, index) => topologies.findIndex((other) => other.name === name) < index)
    .map(({ name }) => ({
      severity: 'error',
      code: 'APPLICATION_NAME_TAKEN',
      message: `two topologies are called '${name}': they would share offsets, changelogs and repartition topics`,
      remedy: 'give one of them another name',
    }))

/** Follows topics from topology to topology; each circle is told once, from the topology that was named first. */
const circles = (topologies: readonly Topology[]): readonly TopologyProblem[] => {
  const problems: TopologyProblem[] = []
  const follow = (path: readonly Step[], start: Topology): void => {
    const here = path.at(-1)?.to ?? start
    for (const { topic, to } of next(here, topologies)) {
      if (to === start && path.length > 0) problems.push(circle(start, [...path, { topic, to }]))
      else if (isLater(topologies, start, to) && !path.some((step) => step.to === to))
        follow([...path, { topic, to }], start)
    }
  }
  for (const topology of topologies) follow([], topology)
  return problems
}

interface Step {
  readonly topic: string
  readonly to: Topology
}

const next = (from: Topology, topologies: readonly Topology[]): readonly Step[] => {
  const written = new Set(from.nodes.filter(isSink).map(sinkTopicOf))
  return topologies.flatMap((to) =>
    [...new Set(to.nodes.flatMap(readTopics))]
      .filter((topic) => written.has(topic))
      .map((topic) => ({ topic, to })),
  )
}

const isLater = (topologies: readonly Topology[], start: Topology, other: Topology): boolean =>
  topologies.indexOf(other) > topologies.indexOf(start)

const circle = (start: Topology, path: readonly Step[]): TopologyProblem => ({
  severity: 'warning',
  code: 'TOPIC_CIRCLE',
  message: `events go in a circle: ${start.name}${path.map(({ topic, to }) => ` → ${topic} → ${to.name}`).join('')}`,
  remedy: 'see that some service ends it',
})
