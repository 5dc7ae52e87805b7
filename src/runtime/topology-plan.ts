import type { Clock } from '../base/clock.ts'
import { AssertionFailed } from '../base/assert.ts'
import type { Cluster } from '../kafka/cluster.ts'
import { malformedAssignment } from '../kafka/group/group-requests.ts'
import type { Topology } from '../topology/topology.ts'
import { refuseOwnOutput } from '../topology/validate-patterns.ts'
import type { ApplicationPlan, TopicSizes } from './application-plan.ts'
import { createInternalTopics, planFor, sourceSizes } from './cluster-plan.ts'
import { refuseOtherSizes } from './input-sizes.ts'
import type { RuntimeSettings } from './runtime-settings.ts'
import { changeOf, TopicWatch } from './topic-watch.ts'

export interface TopologyPlanOptions {
  readonly topology: Topology
  readonly settings: RuntimeSettings
  readonly cluster: Cluster
  readonly clock: Clock
  /** Another plan is in force. */
  readonly onPlan: (plan: ApplicationPlan) => Promise<void>
  /** The group has to plan again. */
  readonly onOutdated: (reason: string) => void
  readonly onWarning: (message: string) => void
}

/**
 * The plan that is in force here. The leader of the group makes it again at each rebalance, from the topics that there are
 * then, and sends the others what it was made from; who notices a change of topics asks for a rebalance. So all members
 * work by the same plan, whenever each of them has looked.
 */
export class TopologyPlan {
  readonly #options: TopologyPlanOptions
  #plan: ApplicationPlan | undefined
  #watch: TopicWatch | undefined

  constructor(options: TopologyPlanOptions) {
    this.#options = options
  }

  get plan(): ApplicationPlan | undefined {
    return this.#plan
  }

  get planned(): ApplicationPlan {
    if (this.#plan === undefined) throw new AssertionFailed('nothing is planned yet')
    return this.#plan
  }

  /** Makes the first plan, and the internal topics that it needs. */
  async begin(): Promise<ApplicationPlan> {
    const { topology, settings, cluster } = this.#options
    refuseOwnOutput(topology, settings.deadLetterTopic)
    this.#plan = planFor(topology, settings, await this.#look())
    await createInternalTopics(this.#plan, settings, cluster)
    return this.#plan
  }

  /** Looks for changes from now on. */
  follow(): void {
    const { clock, settings, onOutdated, onWarning } = this.#options
    this.#watch = new TopicWatch({
      clock,
      intervalMs: settings.metadataMaxAgeMs,
      look: () => this.#look(),
      planned: () => this.planned.sizes,
      onChange: onOutdated,
      onWarning,
    })
  }

  /** A broker has answered with this fault, which may be about a topic that is gone. */
  noticed(fault: unknown): void {
    this.#watch?.noticed(fault)
  }

  /** The plan for the topics that there are now; for the leader. */
  async renew(): Promise<ApplicationPlan> {
    return this.#change(await this.#look())
  }

  /** The plan for these topics, which the leader says it has seen; it is not believed what cannot be. */
  async adopt(sizes: TopicSizes): Promise<ApplicationPlan> {
    if (changeOf(this.planned.sizes, sizes) === undefined) return this.planned
    const disputed = disputedTopic(this.planned.sizes, sizes, await this.#look())
    if (disputed === undefined) return this.#change(sizes)
    throw malformedAssignment(
      this.#options.settings.applicationId,
      `it plans for topic '${disputed}' with ${sizes.get(disputed) ?? 0} partitions, which the cluster does not confirm`,
    )
  }

  async #change(sizes: TopicSizes): Promise<ApplicationPlan> {
    const { topology, settings, cluster, onPlan, onWarning } = this.#options
    const change = changeOf(this.planned.sizes, sizes)
    if (change === undefined) return this.planned
    const plan = planFor(topology, settings, sizes)
    await createInternalTopics(plan, settings, cluster)
    refuseOtherSizes(plan, this.planned.sizes)
    await onPlan(plan)
    this.#plan = plan
    onWarning(`the topics that are read have changed: ${change}`)
    return plan
  }

  close(): void {
    this.#watch?.close()
  }

  /** A topic that the topology names is not gone because one broker says so: reading it fails after a timeout. */
  async #look(): Promise<TopicSizes> {
    const { topology, settings, cluster } = this.#options
    return sourceSizes(topology, settings, cluster, this.#plan?.sizes)
  }
}

/** A topic whose size is neither what it was, nor what it is, nor in between. */
const disputedTopic = (planned: TopicSizes, said: TopicSizes, seen: TopicSizes): string | undefined =>
  [...new Set([...planned.keys(), ...said.keys()])].find((topic) => {
    const [before = 0, now = 0, size = 0] = [planned.get(topic), seen.get(topic), said.get(topic)]
    return size < Math.min(before, now) || size > Math.max(before, now)
  })
