import { Fault } from '../../base/fault.ts'
import type { Cluster } from '../cluster.ts'
import type { IsolationLevel, OffsetQuery } from '../list-offsets.ts'
import { listOffsets } from '../list-offsets.ts'
import { protocolFault } from '../protocol-errors.ts'
import { partitionName } from '../topic-partition.ts'
import type { PartitionState } from './partition-state.ts'

/** Finds what a partition needs before it can be fetched: its leader, and its first position. */
export interface PositionFinderOptions {
  readonly cluster: Cluster
  readonly isolation: IsolationLevel
  readonly offsetResetOf: (topic: string) => 'earliest' | 'latest' | 'none'
  /** The partition has no leader, or its topic does not exist. */
  readonly onMissing: (state: PartitionState, fault: Fault) => void
  /** The partition has no position and no setting says where to begin. */
  readonly onLost: (state: PartitionState, fault: Fault) => void
}

export class PositionFinder {
  readonly #options: PositionFinderOptions

  constructor(options: PositionFinderOptions) {
    this.#options = options
  }

  async find(states: readonly PartitionState[]): Promise<void> {
    const leaderless = states.filter((state) => !this.#hasLeader(state))
    const topics = new Set(leaderless.map(({ topic }) => topic))
    await Promise.all(Array.from(topics, (topic) => this.#findLeaders(topic, leaderless)))
    await this.#findPositions(
      states.filter((state) => state.position === undefined && this.#hasLeader(state)),
    )
  }

  #hasLeader({ topic, partition }: PartitionState): boolean {
    return this.#options.cluster.leaderOf(topic, partition) !== undefined
  }

  async #findLeaders(topic: string, states: readonly PartitionState[]): Promise<void> {
    const missing = await this.#refresh(topic)
    for (const state of states)
      if (state.topic === topic && !this.#hasLeader(state))
        this.#options.onMissing(state, missing ?? withoutLeader(state))
  }

  async #refresh(topic: string): Promise<Fault | undefined> {
    try {
      await this.#options.cluster.refresh(topic)
      return undefined
    } catch (error) {
      if (error instanceof Fault && error.code === 'TOPIC_MISSING') return error
      throw error
    }
  }

  async #findPositions(states: readonly PartitionState[]): Promise<void> {
    const queries = states.flatMap((state) => this.#query(state))
    if (queries.length === 0) return
    const offsets = await listOffsets(this.#options.cluster, queries, this.#options.isolation)
    for (const state of states)
      state.position ??= offsets.get(partitionName(state.topic, state.partition))?.offset
  }

  #query(state: PartitionState): readonly OffsetQuery[] {
    const at = state.startAt ?? this.#options.offsetResetOf(state.topic)
    if (at !== 'none') return [{ topic: state.topic, partition: state.partition, at }]
    this.#options.onLost(state, state.outOfRange())
    return []
  }
}

const leaderNotAvailable = 5

const withoutLeader = ({ topic, partition }: PartitionState): Fault =>
  protocolFault(leaderNotAvailable, 'fetch records', { topic, partition })
