import type { Bytes } from '../../base/bytes.ts'
import { Reader } from '../protocol/reader.ts'

export const NO_BYTES: Bytes = new Uint8Array(0)

/**
 * The topics in a consumer's subscription. Members' metadata is opaque to a broker but for this: a topic that someone
 * subscribes to must not lose its offsets. Metadata that cannot be read counts as no subscription.
 */
export const subscribedTopics = (metadata: Bytes): string[] => {
  try {
    const reader = new Reader(metadata)
    reader.int16()
    return Array.from({ length: reader.int32() }, () => reader.string(reader.int16()))
  } catch {
    return []
  }
}
