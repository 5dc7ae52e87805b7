import { Fault } from '../base/fault.ts'
import type { OptionShape } from '../base/options.ts'
import { checkOptions } from '../base/options.ts'
import { checkedByReader } from '../base/value-kinds.ts'
import type { Headers } from '../topic/headers.ts'
import { sizeOfHeaders } from '../topic/record-size.ts'

/** Options of a record that a test writes. */
export interface PipeOptions {
  /**
   * Whole milliseconds since the epoch. Defaults to the driver's clock. -1 is a record without a time, where the source of
   * the topic has a `timestampExtractor` that decides about it.
   */
  readonly timestamp?: number
  readonly headers?: Headers
  /** Which partition of the topic. Defaults to that of the key. */
  readonly partition?: number
}

// A whole record, as `pipeAll` takes it, may stand for its options.
const pipeOptions: OptionShape<PipeOptions & { readonly key?: unknown; readonly value?: unknown }> = {
  key: checkedByReader,
  value: checkedByReader,
  // Checked below.
  timestamp: checkedByReader,
  partition: checkedByReader,
  headers: checkedByReader,
}

/** Refuses what no producer could send: a partition that the topic does not have, a timestamp or headers that are none. */
export const checkPipeOptions = (
  topic: string,
  options: PipeOptions,
  partitionCount: number,
  mayLackTime: boolean,
): void => {
  checkOptions(`pipe to topic '${topic}'`, options, pipeOptions)
  const { partition, timestamp, headers } = options
  sizeOfHeaders(headers)
  if (
    partition !== undefined &&
    !(Number.isInteger(partition) && partition >= 0 && partition < partitionCount)
  )
    throw invalid(
      topic,
      `topic '${topic}' has no partition ${partition}: it has ${partitionCount}, counted from 0`,
      "name a partition that exists, or give the topic more with the driver's option 'partitions'",
    )
  if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= (mayLackTime ? -1 : 0)))
    throw invalid(
      topic,
      `${String(timestamp)} is no timestamp of a record for topic '${topic}'`,
      'give whole milliseconds since the epoch, of at least 0; -1 needs a source with a timestampExtractor',
    )
}

const invalid = (topic: string, message: string, remedy: string): Fault =>
  new Fault({ code: 'PIPE_OPTION_INVALID', actor: 'author', message, remedy, place: { topic } })
