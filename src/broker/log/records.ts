import type { Bytes } from '../../base/bytes.ts'
import { Refusal } from '../protocol/errors.ts'
import { BATCH_HEADER_LENGTH, compressionOf, type BatchHeader } from './record-batch.ts'

/** What the broker itself needs of a record; its bytes stay where they are. */
export interface RecordHead {
  readonly offsetDelta: number
  readonly timestampDelta: number
  readonly hasKey: boolean
}

/** Turns the compressed part of a batch back into records; undefined where the codec is not known. */
export type Decompress = (codec: number, bytes: Bytes) => Bytes | undefined

/**
 * Visits the records of a batch until `visit` returns false. Returns how many were there, or undefined where the batch
 * is compressed by a codec that `decompress` does not know.
 */
export const visitRecords = (
  batch: Bytes,
  header: BatchHeader,
  decompress: Decompress,
  visit: (record: RecordHead) => boolean,
): number | undefined => {
  const body = batch.subarray(BATCH_HEADER_LENGTH, header.sizeInBytes)
  const codec = compressionOf(header)
  const records = codec === 0 ? body : decompress(codec, body)
  if (records === undefined) return undefined
  const cursor = new VarintCursor(records)
  let count = 0
  while (cursor.position < records.length) {
    const length = cursor.varint()
    const end = cursor.position + length
    if (length < 0 || end > records.length) throw corrupt()
    cursor.position++
    const timestampDelta = cursor.varint()
    const offsetDelta = cursor.varint()
    const keyLength = cursor.varint()
    const hasKey = keyLength >= 0
    cursor.skip(keyLength)
    cursor.skip(cursor.varint())
    for (let headers = cursor.varint(); headers > 0; headers--) {
      cursor.skip(cursor.varint())
      cursor.skip(cursor.varint())
    }
    if (cursor.position !== end) throw corrupt()
    count++
    if (!visit({ offsetDelta, timestampDelta, hasKey })) break
  }
  return count
}

const corrupt = (): Refusal =>
  new Refusal('INVALID_RECORD', 'the length of a record does not match its fields')

class VarintCursor {
  readonly #bytes: Bytes
  position = 0

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  /** Passes over a field; a length of -1 is a null. */
  skip(length: number): void {
    if (length > 0) this.position += length
  }

  /** Zigzag; beyond 32 bits the sum is done in doubles, since timestamp deltas may be that large. */
  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#bytes[this.position++]
      if (byte === undefined) throw corrupt()
      value += (byte & 127) * scale
      if (byte < 128) break
      scale *= 128
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
