import type { Bytes } from '../../base/bytes.ts'

/** The records that lie in some bytes as a whole, from their beginning. */
export interface WholeRecords {
  readonly count: number
  /** Where the last of them ends. */
  readonly end: number
  /** The size of the record behind them, which is not there as a whole; 0 where it is not known yet, negative where it cannot be. */
  readonly nextBytes: number
}

/** Passes from record to record by their lengths; `most` of them at the most. */
export const countRecords = (bytes: Bytes, most: number): WholeRecords => {
  let count = 0
  let end = 0
  while (count < most) {
    let length = 0
    let position = end
    let byte = 0x80
    for (let shift = 0; byte >= 0x80 && shift <= 28; shift += 7) {
      if (position === bytes.length) return { count, end, nextBytes: 0 }
      byte = bytes[position++] as number
      length |= (byte & 0x7f) << shift
    }
    length = (length >>> 1) ^ -(length & 1)
    if (length <= 0) return { count, end, nextBytes: -1 }
    if (position + length > bytes.length) return { count, end, nextBytes: position + length - end }
    end = position + length
    count++
  }
  return { count, end, nextBytes: 0 }
}
