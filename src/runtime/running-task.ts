import type { FetchedBatch } from '../kafka/fetcher.ts'
import type { AckedOffsets } from '../kafka/producer.ts'
import { partitionName } from '../kafka/topic-partition.ts'
import type { Task } from '../task/task.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { changelogTopicOf } from './internal-topics.ts'
import { decodeOffsetMetadata, encodeOffsetMetadata } from './offset-metadata.ts'
import type { Restoration } from './restore.ts'
import type { TaskStores } from './task-factory.ts'
import type { InputStart } from './input-starts.ts'
import { InputPosition } from './input-position.ts'

export type InputFilter = (input: TopicPartition) => boolean

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
  readonly #positions = new Map<string, InputPosition>()

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

  /**
   * Ends the task; its stores keep what is committed, and nothing else. They are closed too where code of the author
   * fails meanwhile (the `close` of a processor), which is then the failure of the application.
   */
  async close(): Promise<void> {
    try {
      this.task.close()
    } finally {
      await this.#disk.close()
    }
  }

  /** Notes that the stores held all of their changelogs at this time. */
  caughtUp(atMs: number): void {
    this.#disk.caughtUp(atMs)
  }

  /** Notes where an input begins: what was committed before, and what was committed beside it. */
  begin(input: TopicPartition, start: InputStart): void {
    const { offset, metadata } = start
    const { partitionTimeMs, processors } = decodeOffsetMetadata(metadata)
    this.#positions.set(partitionName(input.topic, input.partition), new InputPosition(start))
    for (const [name, value] of processors) this.task.processorMetadata.set(name, value)
    const queue = this.task.queue(input.topic)
    if (queue === undefined) return
    queue.nextOffset = offset
    queue.partitionTimeMs = partitionTimeMs
  }

  /** Takes a batch of an input. */
  deliver({ topic, partition, topicId, columns, nextOffset }: FetchedBatch): void {
    const waiting = this.task.queue(topic)?.size ?? 0
    this.#positions.get(partitionName(topic, partition))?.fetched(topicId, columns.count, waiting)
    this.task.push(topic, columns, nextOffset)
  }

  /** True where the group does not know yet where an input of these began. */
  hasNewInputs(isWanted: InputFilter): boolean {
    return this.inputs.some((input) => this.#positionOf(input)?.isCommitted === false && isWanted(input))
  }

  /** The offsets that have moved since the last commit, and those of wanted inputs that were never committed. */
  offsetsToCommit(isWanted: InputFilter = () => true): readonly OffsetToCommit[] {
    return this.inputs.flatMap((input) => {
      const { topic, partition } = input
      const queue = this.task.queue(topic)
      const offset = this.task.committableOffset(topic)
      const position = this.#positionOf(input)
      if (queue === undefined || position === undefined || position.isAt(offset)) return []
      if (offset === position.committedOffset && !isWanted(input)) return []
      return [
        {
          topic,
          partition,
          offset,
          metadata: encodeOffsetMetadata({
            partitionTimeMs: queue.partitionTimeMs,
            processors: this.task.processorMetadata,
            topic: position.topicOf(queue.size),
          }),
        },
      ]
    })
  }

  /** The committed offset of an input; undefined before the task has begun there. */
  committedOffset(topic: string, partition: number): number | undefined {
    return this.#positions.get(partitionName(topic, partition))?.committedOffset
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
      this.#positions.get(partitionName(topic, partition))?.committed(offset)
    for (const { store, topic, partition } of this.restorations()) {
      const place = partitionName(topic, partition)
      // Where an input serves as the changelog, what was processed of it is what the store holds.
      const isInput = this.inputs.some((input) => partitionName(input.topic, input.partition) === place)
      const changelogOffset = isInput ? this.committedOffset(topic, partition) : acked.get(place)
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

  #positionOf({ topic, partition }: TopicPartition): InputPosition | undefined {
    return this.#positions.get(partitionName(topic, partition))
  }
}
