import { Fault } from '../base/fault.ts'
import type { TopologyProblem } from './problem.ts'
import { nodeError } from './problem.ts'
import { sinkTopicsOf } from './topics.ts'
import type { Topology } from './topology.ts'

/** Kafka's patterns match the whole of a topic's name. */
export const matchesWhole = (pattern: RegExp, topic: string): boolean =>
  new RegExp(`^(?:${pattern.source})$`, pattern.flags.replaceAll(/[gy]/g, '')).test(topic)

/** The patterns that match a topic the application writes: each record it writes would come back as its input. */
export const patternProblems = (
  topology: Topology,
  written: readonly string[] = sinkTopicsOf(topology),
): readonly TopologyProblem[] =>
  topology.nodes.flatMap((node) => {
    if (node.kind !== 'source' || !(node.topics instanceof RegExp)) return []
    const pattern = node.topics
    return written
      .filter((topic) => matchesWhole(pattern, topic))
      .map((topic) =>
        nodeError(
          'PATTERN_MATCHES_SINK',
          node.name,
          `'${node.name}' reads all topics that match ${String(pattern)}, and '${topic}', which the application writes, is one: its records would come round without end`,
          'write to a topic that the pattern does not match, or narrow the pattern',
        ),
      )
  })

/** A pattern that matches what the application writes would read every record again, without end. */
export const refuseOwnOutput = (topology: Topology, deadLetterTopic: string | undefined): void => {
  const written = [...sinkTopicsOf(topology), ...(deadLetterTopic === undefined ? [] : [deadLetterTopic])]
  const [problem] = patternProblems(topology, written)
  if (problem === undefined) return
  const { code, message, remedy, node } = problem
  throw new Fault({ code, actor: 'author', message, remedy, place: { node } })
}
