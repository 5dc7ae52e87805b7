import { ByteReader } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import { ScratchBytes } from '../base/scratch-bytes.ts'
import type { RawRegion } from '../topic/record.ts'
import type { SavedRow } from './change-tracker.ts'

/**
 * How rows by key lie on a disk: the key behind a byte of its own, as LMDB has no empty keys; the value behind its time,
 * of 64 bits.
 */
export const diskKeyOf = (key: Bytes): Bytes => {
  const result = new Uint8Array(key.length + 1)
  result[0] = keyMark
  result.set(key, 1)
  return result
}

/** A row as the disk holds it: its time, then its value; undefined where it is to be deleted. */
export const pack = ({ value, timestamp }: SavedRow): Bytes | undefined => {
  if (value === null) return undefined
  const result = new Uint8Array(timeBytes + value.length)
  writeTime(result, timestamp)
  result.set(value, timeBytes)
  return result
}

export const timeOf = (packed: Bytes): number => new ByteReader(packed).int64()

/**
 * The same for many rows in turn, in memory that serves the next row too: a commit writes tens of thousands, and arrays of
 * their own for each were a quarter of what an application that counts gave the collector to do.
 */
export class RowPacker {
  readonly #keys = new ScratchBytes()
  readonly #values = new ScratchBytes()

  /** Valid until the next call. */
  keyOf(key: RawRegion): Bytes {
    const result = this.#keys.take(key.end - key.start + 1)
    result[0] = keyMark
    copy(key, result, 1)
    return result
  }

  /** Valid until the next call. */
  valueOf(value: RawRegion, timestamp: number): Bytes {
    const result = this.#values.take(timeBytes + value.end - value.start)
    writeTime(result, timestamp)
    copy(value, result, timeBytes)
    return result
  }
}

/** Short regions are copied by hand: a view to copy from costs more than some bytes do. */
const copy = ({ buffer, start, end }: RawRegion, target: Bytes, at: number): void => {
  if (end - start > 64) target.set(buffer.subarray(start, end), at)
  else for (let from = start, to = at; from < end; from++, to++) target[to] = buffer[from] as number
}

/** By hand, as this is once for every row that is written. */
const writeTime = (target: Bytes, timestamp: number): void => {
  const high = Math.floor(timestamp / 0x1_0000_0000)
  for (let index = 0; index < 4; index++) {
    target[index] = high >>> (24 - index * 8)
    target[index + 4] = (timestamp | 0) >>> (24 - index * 8)
  }
}

const keyMark = 1
const timeBytes = 8
