import type { FaultPlace } from '../../base/fault.ts'
import { Fault, isFault, messageOf } from '../../base/fault.ts'

/** Where a batch was read from, and the offset behind it, as far as they are known. */
export interface BatchPlace extends FaultPlace {
  readonly nextOffset?: number | undefined
}

/** A batch that is not what its format promises; `why` completes the sentence "... because ...". */
export const corruptBatch = (place: BatchPlace, why: string, cause?: unknown): Fault =>
  batchFault('BATCH_CORRUPT', place, why, 'check the disks and the network of the brokers', cause)

/** The fault of a failed decompression. A fault that is thrown during it already has the reason, and is returned. */
export const notDecompressed = (place: BatchPlace, cause: unknown): Fault =>
  isFault(cause) ? cause : corruptBatch(place, `it cannot be decompressed (${messageOf(cause)})`, cause)

/** A batch that is as its format promises, and holds more than may be in memory at once. */
export const batchTooLarge = (place: BatchPlace, why: string): Fault =>
  batchFault('BATCH_TOO_LARGE', place, why, 'raise inputBufferMaxBytes')

const batchFault = (
  code: string,
  { nextOffset, ...place }: BatchPlace,
  why: string,
  remedy: string,
  cause?: unknown,
): Fault =>
  new Fault({
    code,
    actor: 'runtime',
    message: `a record batch cannot be read because ${why}`,
    remedy:
      nextOffset === undefined
        ? remedy
        : `${remedy}; to continue after the batch, stop the application and set its committed offset of this partition to ${nextOffset} with kafka-consumer-groups`,
    place,
    cause,
  })
