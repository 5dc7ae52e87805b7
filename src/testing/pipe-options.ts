import { Fault } from '../base/fault.ts'
import type { Headers } from '../topic/headers.ts'

export interface PipeOptions {
  /** Whole milliseconds since the epoch; -1 is a record without a time. Defaults to the driver's clock. */
  readonly timestamp?: number
  readonly headers?: Headers
  /** Which partition of the topic. Defaults to that of the key. */
  readonly partition?: number
}

/** Refuses what no producer could send: a partition that the topic does not have, a timestamp that is none. */
export const checkPipeOptions = (
  topic: string,
  { partition, timestamp }: PipeOptions,
  partitionCount: number,
): void => {
  if (
    partition !== undefined &&
    !(Number.isInteger(partition) && partition >= 0 && partition < partitionCount)
  )
    throw invalid(
      topic,
      `topic '${topic}' has no partition ${partition}: it has ${partitionCount}, counted from 0`,
      "name a partition that exists, or give the topic more with the driver's option 'partitions'",
    )
  if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= -1))
    throw invalid(
      topic,
      `${String(timestamp)} is no timestamp of a record for topic '${topic}'`,
      'give whole milliseconds since the epoch: 0 or more, or -1 for a record without a time',
    )
}

const invalid = (topic: string, message: string, remedy: string): Fault =>
  new Fault({ code: 'PIPE_OPTION_INVALID', actor: 'author', message, remedy, place: { topic } })
