import type { AckedOffsets } from '../kafka/producer.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { Task } from '../task/task.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { TopicPartition } from './application-plan.ts'
import { changelogTopicOf } from './internal-topics.ts'
import { decodeOffsetMetadata, encodeOffsetMetadata } from './offset-metadata.ts'
import type { Restoration } from './restore.ts'
import type { TaskStores } from './task-factory.ts'

export interface OffsetToCommit extends TopicPartition {
  readonly offset: number
  readonly metadata: string
}

const inMemory = { caughtUp: () => undefined, close: () => Promise.resolve() }

/** A task as the runtime drives it: its inputs, what of them is committed, and where its stores are restored from. */
export class RunningTask {
  readonly task: Task
  readonly inputs: readonly TopicPartition[]
  readonly #stores: readonly StoreDefinition[]
  readonly #applicationId: string
  readonly #disk: Pick<TaskStores, 'caughtUp' | 'close'>
  readonly #committed = new Map<string, number>()

  constructor(
    task: Task,
    inputs: readonly TopicPartition[],
    stores: readonly StoreDefinition[],
    applicationId: string,
    disk: Pick<TaskStores, 'caughtUp' | 'close'> = inMemory,
  ) {
    this.task = task
    this.inputs = inputs
    this.#stores = stores
    this.#applicationId = applicationId
    this.#disk = disk
  }

  /** Ends the task; its stores keep what is committed, and nothing else. */
  async close(): Promise<void> {
    this.task.close()
    await this.#disk.close()
  }

  /** Notes that the stores held all of their changelogs at this time. */
  caughtUp(atMs: number): void {
    this.#disk.caughtUp(atMs)
  }

  /** Notes where an input begins: what was committed before, and what was committed beside it. */
  begin(input: TopicPartition, offset: number, metadata: string | null): void {
    const { partitionTimeMs, processors } = decodeOffsetMetadata(metadata)
    this.#committed.set(partitionName(input.topic, input.partition), offset)
    for (const [name, value] of processors) this.task.processorMetadata.set(name, value)
    const queue = this.task.queue(input.topic)
    if (queue === undefined) return
    queue.nextOffset = offset
    queue.partitionTimeMs = partitionTimeMs
  }

  /** The offsets that have moved since the last commit. */
  offsetsToCommit(): readonly OffsetToCommit[] {
    return this.inputs.flatMap(({ topic, partition }) => {
      const queue = this.task.queue(topic)
      const offset = this.task.committableOffset(topic)
      if (queue === undefined || offset <= (this.#committed.get(partitionName(topic, partition)) ?? 0))
        return []
      return [
        {
          topic,
          partition,
          offset,
          metadata: encodeOffsetMetadata({
            partitionTimeMs: queue.partitionTimeMs,
            processors: this.task.processorMetadata,
          }),
        },
      ]
    })
  }

  /** The committed offset of an input; undefined before the task has begun there. */
  committedOffset(topic: string, partition: number): number | undefined {
    return this.#committed.get(partitionName(topic, partition))
  }

  /** The inputs with records that were taken since the last commit: the committed offset, and the one reached. */
  uncommitted(): readonly (TopicPartition & { readonly offset: number; readonly upTo: number })[] {
    return this.inputs.flatMap(({ topic, partition }) => {
      const offset = this.committedOffset(topic, partition) ?? 0
      const upTo = this.task.queue(topic)?.nextOffset ?? 0
      return upTo > offset ? [{ topic, partition, offset, upTo }] : []
    })
  }

  /** Notes what was committed, and lets durable stores follow up to what their changelogs hold. */
  committed(offsets: readonly OffsetToCommit[], acked: AckedOffsets): void {
    for (const { topic, partition, offset } of offsets)
      this.#committed.set(partitionName(topic, partition), offset)
    for (const { store, topic, partition } of this.restorations()) {
      const place = partitionName(topic, partition)
      // Where an input serves as the changelog, what was processed of it is what the store holds.
      const isInput = this.inputs.some((input) => partitionName(input.topic, input.partition) === place)
      const changelogOffset = isInput ? this.#committed.get(place) : acked.get(place)
      if (changelogOffset !== undefined) store.persist(changelogOffset)
    }
  }

  /** How far what is committed of each store has come. */
  get changelogOffsets(): ReadonlyMap<string, number> {
    return new Map(this.restorations().map(({ store }) => [store.name, store.changelogOffset()]))
  }

  /** The stores that have a changelog, with where it is; `startOf` says where an input goes on. */
  restorations(startOf: (place: string) => number | undefined = () => undefined): readonly Restoration[] {
    return this.#stores
      .filter(({ changelog }) => changelog)
      .map((definition) => {
        const topic = changelogTopicOf(this.#applicationId, definition)
        const { partition } = this.task
        return {
          store: this.task.stores.get(definition.name) as Restoration['store'],
          topic,
          partition,
          upToOffset:
            definition.changelogTopic === undefined ? undefined : startOf(partitionName(topic, partition)),
        }
      })
  }
}
