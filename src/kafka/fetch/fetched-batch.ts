import type { RecordColumns } from '../../topic/record-columns.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** The records that `poll` returns of one partition. */
export interface FetchedBatch extends TopicPartition {
  readonly generation: number
  readonly topicId: string
  /** May have no rows: then only markers or aborted records lay before `nextOffset`. */
  readonly columns: RecordColumns
  readonly nextOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}
