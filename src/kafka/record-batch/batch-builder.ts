import type { Bytes } from '../../base/bytes.ts'
import { utf8Write } from '../../base/bytes.ts'
import { encodeHeaders } from '../../topic/record-columns.ts'
import type { Headers } from '../../topic/headers.ts'
import {
  attributesAt,
  baseSequenceAt,
  baseTimestampAt,
  crcAt,
  headerLength,
  lastOffsetDeltaAt,
  lengthAt,
  magicAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
  recordCountAt,
  transactionalFlag,
  writeInt16,
  writeInt32,
  writeInt64,
} from './batch-header.ts'
import type { Compression } from './compression.ts'
import { compress, compressionCode } from './compression.ts'
import { crc32c } from './crc32c.ts'

/** A stretch of bytes: a serialised key or value, wherever it stands. */
export interface Region {
  readonly buffer: Bytes
  readonly start: number
  readonly end: number
}

/**
 * Encodes records straight into one growing buffer. The header is filled in when the batch is sealed; the producer's
 * identity, the sequence and then the CRC over them only when it is sent (`stamp`), since a retry may change them.
 */
export class BatchBuilder {
  #buffer: Buffer
  #position = headerLength
  #count = 0
  #baseTimestamp = 0
  #maxTimestamp = 0

  constructor(buffer: Buffer = Buffer.allocUnsafeSlow(16_384)) {
    this.#buffer = buffer
  }

  get count(): number {
    return this.#count
  }

  /** The bytes so far, header included, uncompressed. */
  get sizeInBytes(): number {
    return this.#position
  }

  /**
   * Adds a record. A value may be given as text, which is written where it goes; returns false where it is not all ASCII:
   * its length in bytes, which comes first, is not known then, and nothing has been added.
   */
  append(key: Region | null, value: Region | string | null, timestamp: number, headers: Headers): boolean {
    if (this.#count === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const delta = timestamp - this.#baseTimestamp
    const headerBytes = headers.length === 0 ? undefined : encodeHeaders(headers)
    const length =
      1 +
      varlongSize(delta) +
      varintSize(this.#count) +
      partSize(key) +
      (typeof value === 'string' ? varintSize(value.length) + value.length : partSize(value)) +
      (headerBytes === undefined ? 1 : headerBytes.length)
    const buffer = this.#reserve(length + 5 + roomForMore)
    let at = writeVarint(buffer, this.#position, length)
    buffer[at++] = 0
    at = writeVarlong(buffer, at, delta)
    at = writeVarint(buffer, at, this.#count)
    at = writePart(buffer, at, key)
    if (typeof value === 'string') {
      at = writeVarint(buffer, at, value.length)
      if (utf8Write(buffer, value, at) !== value.length) return false
      at += value.length
    } else at = writePart(buffer, at, value)
    if (headerBytes === undefined) buffer[at++] = 0
    else at = writeBytes(buffer, at, headerBytes, 0, headerBytes.length)
    this.#position = at
    this.#count++
    return true
  }

  /** Ends the batch; the builder is not used again. */
  seal(compression: Compression = 'none'): SealedBatch {
    const whole =
      compression === 'none'
        ? this.#buffer.subarray(0, this.#position)
        : withHeaderSpace(compress(compression, this.#buffer.subarray(headerLength, this.#position)))
    writeInt64(whole, 0, 0)
    writeInt32(whole, lengthAt, whole.length - 12)
    writeInt32(whole, lengthAt + 4, -1)
    whole[magicAt] = 2
    writeInt16(whole, attributesAt, compressionCode(compression))
    writeInt32(whole, lastOffsetDeltaAt, this.#count - 1)
    writeInt64(whole, baseTimestampAt, this.#baseTimestamp)
    writeInt64(whole, maxTimestampAt, this.#maxTimestamp)
    writeInt32(whole, recordCountAt, this.#count)
    const sealed = new SealedBatch(whole, this.#count, this.#buffer)
    sealed.stamp(-1, -1, -1, false)
    return sealed
  }

  /** The memory, with room for so many more bytes. */
  #reserve(length: number): Buffer {
    if (this.#position + length <= this.#buffer.length) return this.#buffer
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#position + length))
    larger.set(this.#buffer.subarray(0, this.#position))
    this.#buffer = larger
    return larger
  }
}

/** Text that is not all ASCII takes more bytes than units, or what is left of it, at most four bytes, had no room behind so many. */
const roomForMore = 4

/** Each of these writes at a position and returns the one behind: a field of the builder would be written for each byte. */
const writePart = (target: Buffer, at: number, part: Region | null): number => {
  // -1 as a varint.
  if (part === null) return writeVarint(target, at, -1)
  return writeBytes(target, writeVarint(target, at, part.end - part.start), part.buffer, part.start, part.end)
}

/** A loop beats the call of a native copy for what is as short as most keys. */
const writeBytes = (target: Buffer, at: number, source: Bytes, start: number, end: number): number => {
  const behind = at + end - start
  if (end - start > 24)
    target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at)
  else for (let from = start, to = at; from < end; from++) target[to++] = source[from] as number
  return behind
}

const writeVarint = (target: Buffer, at: number, value: number): number => {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  let position = at
  while (rest >= 0x80) {
    target[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[position++] = rest
  return position
}

const writeVarlong = (target: Buffer, at: number, value: number): number => {
  if (value >= -0x4000_0000 && value < 0x4000_0000) return writeVarint(target, at, value)
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  let position = at
  while (rest >= 0x80n) {
    target[position++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  target[position++] = Number(rest)
  return position
}

/** A batch as it goes to the broker, kept until it is acknowledged. */
export class SealedBatch {
  readonly bytes: Bytes
  readonly count: number
  /** The builder's memory, to build another batch in once this one is no longer needed. */
  readonly memory: Buffer

  constructor(bytes: Bytes, count: number, memory: Buffer) {
    this.bytes = bytes
    this.count = count
    this.memory = memory
  }

  /** Writes who sends it and as what number, and the CRC over all that. */
  stamp(producerId: number, producerEpoch: number, baseSequence: number, transactional: boolean): void {
    const { bytes } = this
    const low = bytes[attributesAt + 1] as number
    bytes[attributesAt + 1] = transactional ? low | transactionalFlag : low & ~transactionalFlag
    writeInt64(bytes, producerIdAt, producerId)
    writeInt16(bytes, producerEpochAt, producerEpoch)
    writeInt32(bytes, baseSequenceAt, baseSequence)
    writeInt32(bytes, crcAt, crc32c(bytes, attributesAt))
  }
}

const withHeaderSpace = (records: Bytes): Buffer => {
  const whole = Buffer.allocUnsafeSlow(headerLength + records.length)
  whole.set(records, headerLength)
  return whole
}

const partSize = (part: Region | null): number => {
  if (part === null) return 1
  const length = part.end - part.start
  return varintSize(length) + length
}

const varintSize = (value: number): number => {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x20_0000) return 3
  return zigzag < 0x1000_0000 ? 4 : 5
}

const varlongSize = (value: number): number => {
  if (value >= -0x4000_0000 && value < 0x4000_0000) return varintSize(value)
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  let size = 1
  for (; rest >= 0x80n; rest >>= 7n) size++
  return size
}
