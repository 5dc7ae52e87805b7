import { checkArgument } from '../base/options.ts'
import type { TopologyNode } from './node.ts'
import type { TopologyProblem } from './problem.ts'
import { nodeError } from './problem.ts'
import type { Topology } from './topology.ts'
import { topologyKind } from './topology-kind.ts'
import { patternProblems } from './validate-patterns.ts'
import { storeProblems } from './validate-stores.ts'
import { tableProblems } from './validate-tables.ts'
import { topicProblems } from './validate-topics.ts'

/**
 * Everything that is wrong with a topology, all at once. `topology` itself throws the errors, except for patterns that
 * match what it writes: the start refuses those. The warnings are for tests, the command line and the dashboard to show.
 *
 * @example
 * expect(validateTopology(payment)).toEqual([])
 */
export const validateTopology = (topology: Topology): readonly TopologyProblem[] => {
  checkArgument('validateTopology', topology, topologyKind)
  return [...definitionProblems(topology), ...patternProblems(topology)]
}

/** What a topology can't be defined with, and what looks wrong about it. */
export const definitionProblems = (topology: Topology): readonly TopologyProblem[] => [
  ...nodeProblems(topology),
  ...storeProblems(topology),
  ...tableProblems(topology),
  ...topicProblems(topology),
]

const nodeProblems = ({ nodes }: Topology): readonly TopologyProblem[] => {
  const said = new Set<string>()
  const all = new Set(nodes.map(({ name }) => name))
  return nodes.flatMap((node) => {
    const problems = [
      ...nameProblems(node, said),
      ...node.from.filter((parent) => !said.has(parent)).map((parent) => unknownParent(node, parent, all)),
      ...parentCountProblems(node),
    ]
    said.add(node.name)
    return problems
  })
}

const nameProblems = ({ name }: TopologyNode, said: ReadonlySet<string>): readonly TopologyProblem[] =>
  said.has(name)
    ? [nodeError('NODE_NAME_TAKEN', name, `two nodes are called '${name}'`, 'give one of them another name')]
    : []

const unknownParent = ({ name }: TopologyNode, parent: string, all: ReadonlySet<string>): TopologyProblem => {
  const fault = all.has(parent) ? 'comes after it' : 'is not there'
  return nodeError(
    'PARENT_UNKNOWN',
    name,
    `'${name}' follows '${parent}', which ${fault}`,
    'say every node after its parents',
  )
}

const parentCountProblems = ({ name, kind, from }: TopologyNode): readonly TopologyProblem[] => {
  const wanted = parentCounts[kind] ?? 'some'
  const fits = wanted === 'some' ? from.length > 0 : from.length === wanted
  if (fits) return []
  return [
    nodeError(
      'PARENT_COUNT',
      name,
      `'${name}' (${kind}) follows ${from.length} nodes`,
      wanted === 0 ? 'a source follows none' : `let it follow ${wanted === 2 ? 'two' : 'one or more'}`,
    ),
  ]
}

/** How many parents a kind needs; one or more where nothing is said. */
const parentCounts: Readonly<Partial<Record<TopologyNode['kind'], 0 | 2>>> = {
  source: 0,
  tableSource: 0,
  streamTableJoin: 2,
  streamGlobalTableJoin: 2,
  streamStreamJoin: 2,
  tableTableJoin: 2,
  foreignKeyRespond: 2,
  foreignKeyJoin: 2,
}
