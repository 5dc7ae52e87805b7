import type { Bytes } from '../../base/bytes.ts'

/**
 * The 61 bytes in front of the records of a batch (message format 2). The CRC is over everything after itself, so the
 * base offset and the leader epoch may be changed without it.
 */
export const headerLength = 61
export const lengthAt = 8
export const magicAt = 16
export const crcAt = 17
export const attributesAt = 21
export const lastOffsetDeltaAt = 23
export const baseTimestampAt = 27
export const maxTimestampAt = 35
export const producerIdAt = 43
export const producerEpochAt = 51
export const baseSequenceAt = 53
export const recordCountAt = 57

/** Bits of the attributes. */
export const compressionMask = 0x07
export const logAppendTimeFlag = 0x08
export const transactionalFlag = 0x10
export const controlFlag = 0x20

export const readInt16 = (source: Bytes, at: number): number =>
  (((source[at] as number) << 24) >> 16) | (source[at + 1] as number)

export const readInt32 = (source: Bytes, at: number): number =>
  ((source[at] as number) << 24) |
  ((source[at + 1] as number) << 16) |
  ((source[at + 2] as number) << 8) |
  (source[at + 3] as number)

/** 64 bits as a number: exact within ±2^53, which offsets, timestamps and producer ids never leave. */
export const readInt64 = (source: Bytes, at: number): number =>
  readInt32(source, at) * 0x1_0000_0000 + (readInt32(source, at + 4) >>> 0)

export const writeInt16 = (target: Bytes, at: number, value: number): void => {
  target[at] = value >> 8
  target[at + 1] = value
}

export const writeInt32 = (target: Bytes, at: number, value: number): void => {
  target[at] = value >> 24
  target[at + 1] = value >> 16
  target[at + 2] = value >> 8
  target[at + 3] = value
}

export const writeInt64 = (target: Bytes, at: number, value: number): void => {
  writeInt32(target, at, Math.floor(value / 0x1_0000_0000))
  writeInt32(target, at + 4, value % 0x1_0000_0000)
}
