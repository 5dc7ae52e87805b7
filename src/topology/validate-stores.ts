import { isLegalTopicName } from '../topic/topic.ts'
import type { TopologyNode } from './node.ts'
import type { TopologyProblem } from './problem.ts'
import { storeError } from './problem.ts'
import type { StoreDefinition } from './store-definition.ts'
import type { Topology } from './topology.ts'
import { storesOf } from './topology.ts'

/** Problems of the stores of a topology: missing, doubled, unnameable or unused. */
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
        message: `'${node.name}' uses store '${store}', which is not defined`,
        remedy: 'define it on the builder, or fix the name',
      })),
  )
}

const definitionProblems = ({ name: application, stores }: Topology): readonly TopologyProblem[] => {
  const names = new Set<string>()
  return stores.flatMap((store) => {
    const { name, changelog } = store
    const problems: TopologyProblem[] = [...retentionProblems(store)]
    const topic = changelog ? `${application}-${name}-changelog` : name
    if (names.has(name))
      problems.push(
        storeError(
          'STORE_NAME_TAKEN',
          name,
          `two stores are called '${name}'`,
          'give one of them another name',
        ),
      )
    if (!isLegalTopicName(topic))
      problems.push(
        storeError(
          'STORE_NAME_ILLEGAL',
          name,
          changelog ? `its changelog can't be called '${topic}'` : `a store cannot be called '${topic}'`,
          'use letters, digits, dot, underscore and hyphen, 249 with the name of the application',
        ),
      )
    names.add(name)
    return problems
  })
}

/** A store keeps its rows for a time that is not negative. */
const retentionProblems = (store: StoreDefinition): readonly TopologyProblem[] => {
  const retentionMs =
    'historyRetentionMs' in store ? store.historyRetentionMs : 'retentionMs' in store ? store.retentionMs : 0
  if (retentionMs >= 0) return []
  return [
    storeError(
      'STORE_RETENTION_INVALID',
      store.name,
      `store '${store.name}' has a retention of ${retentionMs} ms`,
      'give milliseconds, 0 or more',
    ),
  ]
}

const unusedStores = ({ nodes, stores }: Topology): readonly TopologyProblem[] => {
  const used = new Set(nodes.flatMap((node) => usedBy(node)))
  return stores
    .filter(({ name }) => !used.has(name))
    .map(({ name }) => ({
      severity: 'warning',
      code: 'STORE_UNUSED',
      store: name,
      message: `no step uses store '${name}'`,
      remedy: 'connect it to a processor, or take it out',
    }))
}
