import { Fault } from '../base/fault.ts'
import { externalTopicsOf } from '../topology/partition-counts.ts'
import type { SubTopology } from '../topology/sub-topologies.ts'
import { matchesWhole } from '../topology/validate-patterns.ts'
import type { ApplicationPlan, TopicSizes } from './application-plan.ts'

/**
 * Throws where an input of a sub-topology with state has other partitions than before. Its keys are in other partitions
 * now than their state. A changelog shows this by its own size, but not where the input itself is the changelog, where
 * a store has none, or where another input of the same tasks is larger.
 */
export const refuseOtherSizes = (plan: ApplicationPlan, before: TopicSizes): void => {
  for (const subTopology of plan.subTopologies) {
    const store = subTopology.stores[0]?.name
    if (store === undefined) continue
    for (const topic of inputsOf(plan, subTopology)) {
      const [had, has] = [before.get(topic), plan.sizes.get(topic)]
      if (had !== undefined && has !== undefined && had !== has) throw otherSize({ topic, had, has, store })
    }
  }
}

const inputsOf = ({ sizes }: ApplicationPlan, subTopology: SubTopology): readonly string[] =>
  externalTopicsOf(subTopology, (pattern) => [...sizes.keys()].filter((name) => matchesWhole(pattern, name)))

interface SizeChange {
  readonly topic: string
  readonly had: number
  readonly has: number
  readonly store: string
}

const otherSize = ({ topic, had, has, store }: SizeChange): Fault =>
  new Fault({
    code: 'INTERNAL_TOPIC_SIZE',
    actor: 'author',
    message: `the input '${topic}' has ${has} partitions now, but the state of store '${store}' was made from ${had}`,
    remedy: stateStays,
    place: { topic, store },
  })

/** What to do where keys and their state are in different partitions. */
export const stateStays =
  'state stays where its keys were when it was written: give the input its partitions in a new topic, or let the ' +
  'application start over with millrace reset'
