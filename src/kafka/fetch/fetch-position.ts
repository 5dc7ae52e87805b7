import type { TopicPartition } from '../topic-partition.ts'

/** Where the reading of a partition begins. */
export interface FetchPosition extends TopicPartition {
  /** The next offset to read; where it is left out, `offsetReset` decides. */
  readonly offset?: number | 'earliest' | 'latest' | undefined
  /** The topic that the offset belongs to, where it is known: `offsetReset` decides where another has its name now. */
  readonly topicId?: string | undefined
}
