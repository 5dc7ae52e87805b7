import { ByteReader, ByteWriter } from '../base/byte-fields.ts'
import type { Bytes } from '../base/bytes.ts'
import type { SavedRow } from './change-tracker.ts'
import type { Disk } from './disk.ts'
import { pack } from './packed-rows.ts'

/** How rows by key and time lie on a disk: by key for who looks one up, and listed by time for what expires. */

/** Where a row lies on disk: the key's length first, so that no key's rows stand among another's. */
export const rowKey = (key: Bytes, time: number, second: number): Bytes => {
  const writer = new ByteWriter().int32(key.length).bytes(key)
  return writeSortable(writeSortable(writer, time), second).finish()
}

export const timeKey = (time: number, second: number, key: Bytes): Bytes =>
  writeSortable(writeSortable(new ByteWriter(), time), second).bytes(key).finish()

/** 64 bits whose unsigned order is that of the numbers; infinities are the ends of what a number holds exactly. */
const writeSortable = (writer: ByteWriter, value: number): ByteWriter => {
  const bounded = Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  return writer.int32(Math.floor(bounded / 0x1_0000_0000) ^ 0x8000_0000).int32(bounded | 0)
}

export const readSortable = (reader: ByteReader): number =>
  (reader.int32() ^ 0x8000_0000) * 0x1_0000_0000 + (reader.int32() >>> 0)

/** Writes one row as bytes; `isListed` where the list by time has it already. */
export const writeTimedRow = (
  disk: Disk,
  key: Bytes,
  time: number,
  second: number,
  saved: SavedRow,
  isListed: boolean,
): void => {
  const packed = pack(saved)
  disk.rows.set(rowKey(key, time, second), packed)
  if (packed === undefined) disk.byTime.set(timeKey(time, second, key), undefined)
  else if (!isListed) disk.byTime.set(timeKey(time, second, key), listed)
}

/** Removes the rows up to a time, or some of them: what is left over is invisible, and goes with one of the next batches. */
export const sweepTimedRows = (disk: Disk, upToMs: number): void => {
  if (upToMs === -Infinity) return
  const range = {
    from: undefined,
    to: timeKey(upToMs + 1, -Infinity, noBytes),
    exclusive: false,
    reverse: false,
  }
  for (const { key } of disk.byTime.page(range, sweepLimit)) {
    const reader = new ByteReader(key)
    const time = readSortable(reader)
    disk.rows.set(rowKey(key.subarray(16), time, readSortable(reader)), undefined)
    disk.byTime.set(key, undefined)
  }
}

const noBytes = new Uint8Array(0)
const listed = Uint8Array.of(1)
const sweepLimit = 20_000
