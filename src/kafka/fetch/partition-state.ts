import { Fault } from '../../base/fault.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { FetchedBatch } from './fetched-batch.ts'
import type { FetchPosition } from './fetch-position.ts'
import type { BatchSlices } from '../record-batch/batch-slices.ts'
import { corruptBatch } from '../record-batch/corrupt-batch.ts'
import type { Lane } from '../transport.ts'

/** One assigned partition: where it stands and whether it may be asked for. Never used again once it is given up. */
export class PartitionState implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly generation: number
  readonly startAt: 'earliest' | 'latest' | undefined
  /** The next offset to fetch; undefined while it must be looked up. */
  position: number | undefined
  /** The id of the topic that the position belongs to; undefined until it is known. */
  topicId: string | undefined
  isPaused = false
  isInFlight = false
  bufferedBytes = 0
  /** The end that readers of this isolation level can reach; undefined until the first response. */
  endOffset: number | undefined
  /** The number of the request whose answer set it. */
  endRequest = 0
  /** Since when it is asked for without an answer that brings records or the end; undefined where the last request has one. */
  unansweredSinceMs: number | undefined
  /** Not asked for before this time. */
  notBeforeMs = 0
  /** Since when it cannot be found; undefined where all is well. */
  missingSinceMs: number | undefined
  /** How often in a row the batch at `position` could not be read, and the lane that it last came over. */
  failedReads = 0
  lane: Lane | undefined
  /** How many bytes must be asked for, so that the batch at `position` comes as a whole. */
  batchBytes = 0
  /** Grows with every response that brought something: who was served longest ago comes first. */
  lastServed = 0
  #isGivenUp = false

  constructor({ topic, partition, offset, topicId }: FetchPosition, generation: number) {
    this.topic = topic
    this.partition = partition
    this.generation = generation
    this.position = typeof offset === 'number' ? offset : undefined
    this.startAt = typeof offset === 'string' ? offset : undefined
    this.topicId = topicId
  }

  /** True once it is no longer assigned, or was assigned again: then another state has its place. */
  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  giveUp(): void {
    this.#isGivenUp = true
  }

  mayBeAsked(nowMs: number): boolean {
    return !this.isPaused && !this.isInFlight && this.notBeforeMs <= nowMs
  }

  /** Records were deleted before they were read, or the topic was created again. */
  resetTo(offsetReset: 'earliest' | 'latest'): Fault {
    const { topic, partition, position } = this
    return new Fault({
      code: 'OFFSET_RESET',
      actor: 'retry',
      message: `the log has no offset ${position} to read from, as its records were deleted or its topic was created again: reading continues at its ${offsetReset} offset`,
      place: { topic, partition, offset: position },
    })
  }

  /** This topic has the name now. Returns a fault where the position belongs to an earlier one. */
  movedTo(topicId: string, offsetReset: 'earliest' | 'latest' | 'none'): Fault | undefined {
    const { topic, partition, position, topicId: earlierId } = this
    this.topicId = topicId
    if (earlierId === undefined || position === undefined) return undefined
    this.position = undefined
    const isReset = offsetReset !== 'none'
    return new Fault({
      code: 'TOPIC_RECREATED',
      actor: isReset ? 'retry' : 'runtime',
      message: `the topic was deleted and created again (topic id ${earlierId}, now ${topicId}), so offset ${position} is none of its own${isReset ? `: reading continues at its ${offsetReset} offset` : ''}`,
      remedy: isReset ? undefined : moveOffsets,
      place: { topic, partition, offset: position },
    })
  }

  /** The batch at the position was read. */
  movedBy(nextOffset: number): void {
    this.position = nextOffset
    this.failedReads = 0
    this.batchBytes = 0
  }

  cutBatch(sizeInBytes: number): Fault {
    const { topic, partition, position } = this
    return corruptBatch(
      { topic, partition, offset: position },
      `the broker returned only a part of it, and its header says that it has ${sizeInBytes} bytes`,
    )
  }

  outOfRange(): Fault {
    const { topic, partition, position } = this
    return new Fault({
      code: 'OFFSET_OUT_OF_RANGE',
      actor: 'runtime',
      message:
        position === undefined
          ? 'a partition has no position to read from'
          : `the log has no offset ${position} to read from`,
      remedy: moveOffsets,
      place: { topic, partition, offset: position },
    })
  }
}

const moveOffsets =
  'set autoOffsetReset to earliest or latest, or move the offsets: millrace reset FILE --to-earliest --execute'

export interface ReadyBatch {
  readonly state: PartitionState
  /** What is said of its records when they are handed over. */
  readonly place: Omit<FetchedBatch, 'columns' | 'nextOffset'>
  readonly slices: BatchSlices
  /** As it was fetched. */
  readonly sizeInBytes: number
}
