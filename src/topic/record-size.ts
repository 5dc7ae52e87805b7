import { Fault } from '../base/fault.ts'
import type { Headers } from './headers.ts'
import { noHeaders } from './headers.ts'

/** How large a record may be where nothing else is set, as in Kafka's producer. */
export const defaultMaxRequestSize = 1_048_576

/** Room for the header of a batch and for the fields of its one record, so that a record never exceeds `maxRequestSize`. */
export const recordOverheadBytes = 512

/** About the bytes that headers take in a record. Refuses what are no headers, which a batch could not hold. */
export const sizeOfHeaders = (headers: Headers | undefined): number => {
  if (headers === undefined || headers === noHeaders) return 0
  if (!Array.isArray(headers)) throw headersInvalid()
  let size = 0
  for (const header of headers as readonly unknown[]) {
    if (!Array.isArray(header)) throw headersInvalid()
    const [name, value] = header as readonly unknown[]
    if (typeof name !== 'string' || !(value === null || value instanceof Uint8Array)) throw headersInvalid()
    // A name's characters take three bytes at most, and each length five.
    size += name.length * 3 + (value?.length ?? 0) + 10
  }
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

const headersInvalid = (): Fault =>
  new Fault({
    code: 'HEADERS_INVALID',
    actor: 'record',
    message: 'the headers of the record are no list of names and bytes',
    remedy: "give [['name', bytes]], with a Uint8Array or null for each value",
  })
