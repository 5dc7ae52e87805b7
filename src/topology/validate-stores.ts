import { isLegalTopicName } from '../topic/topic.ts'
import type { TopologyNode } from './node.ts'
import type { TopologyProblem } from './problem.ts'
import { storeError } from './problem.ts'
import type { Topology } from './topology.ts'
import { storesOf } from './topology.ts'

/** What is wrong with the stores of a topology: missing, doubled, unnameable, or there for nobody. */
export const storeProblems = (topology: Topology): readonly TopologyProblem[] => [
  ...missingStores(topology),
  ...definitionProblems(topology),
  ...unusedStores(topology),
]

const usedBy = (node: TopologyNode): readonly string[] =>
  node.kind === 'streamGlobalTableJoin' ? [node.globalStore] : storesOf(node)

const missingStores = ({ nodes, stores }: Topology): readonly TopologyProblem[] => {
  const known = new Set(stores.map(({ name }) => name))
  return nodes.flatMap((node) =>
    usedBy(node)
      .filter((store) => !known.has(store))
      .map((store) => ({
        severity: 'error' as const,
        code: 'STORE_MISSING',
        node: node.name,
        store,
        message: `'${node.name}' uses store '${store}', which nobody defines`,
        remedy: 'define it on the builder, or mend the name',
      })),
  )
}

const definitionProblems = ({ name: application, stores }: Topology): readonly TopologyProblem[] => {
  const names = new Set<string>()
  return stores.flatMap(({ name, changelog }) => {
    const problems: TopologyProblem[] = []
    const topic = `${application}-${name}-changelog`
    if (names.has(name))
      problems.push(
        storeError(
          'STORE_NAME_TAKEN',
          name,
          `two stores are called '${name}'`,
          'give one of them another name',
        ),
      )
    if (changelog && !isLegalTopicName(topic))
      problems.push(
        storeError(
          'STORE_NAME_ILLEGAL',
          name,
          `its changelog can't be called '${topic}'`,
          'use letters, digits, dot, underscore and hyphen, 249 with the name of the application',
        ),
      )
    names.add(name)
    return problems
  })
}

const unusedStores = ({ nodes, stores }: Topology): readonly TopologyProblem[] => {
  const used = new Set(nodes.flatMap((node) => usedBy(node)))
  return stores
    .filter(({ name }) => !used.has(name))
    .map(({ name }) => ({
      severity: 'warning',
      code: 'STORE_UNUSED',
      store: name,
      message: `nobody uses store '${name}'`,
      remedy: 'connect it to a processor, or take it out',
    }))
}
