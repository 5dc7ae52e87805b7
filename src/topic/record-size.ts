import { Fault } from '../base/fault.ts'
import type { Headers } from './headers.ts'

/** Room for the header of a batch and for the fields of its one record, so that a record never exceeds `maxRequestSize`. */
export const recordOverheadBytes = 512

/** About the bytes that headers take in a record. */
export const sizeOfHeaders = (headers: Headers | undefined): number => {
  if (headers === undefined || headers.length === 0) return 0
  let size = 0
  // A name's characters take three bytes at most, and each length five.
  for (const [name, value] of headers) size += name.length * 3 + (value?.length ?? 0) + 10
  return size
}

/** Refuses a record whose key, value and headers do not fit into a request. */
export const refuseTooLarge = (
  bytes: number,
  maxRequestSize: number,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): void => {
  if (bytes + recordOverheadBytes > maxRequestSize)
    throw recordTooLarge(bytes, maxRequestSize, { topic, partition })
}

const recordTooLarge = (bytes: number, limit: number, place: Fault['place']): Fault =>
  new Fault({
    code: 'RECORD_TOO_LARGE',
    actor: 'record',
    message: `a record of ${bytes} bytes exceeds maxRequestSize (${limit})`,
    remedy: "make it smaller, or raise maxRequestSize and the topic's max.message.bytes",
    place,
  })
