import type { Bytes } from '../base/bytes.ts'
import { murmur2 } from '../topic/murmur2.ts'
import type { RawRegion, RecordOrigin } from '../topic/record.ts'

/**
 * The rows of one side of a join, in the order they were put, as columns over bytes: a row is a dozen numbers and its
 * key and value as they stand on the wire, so that millions of them are nothing to the collector, and one that expires
 * unread was never an object.
 *
 * Rows lie in segments and leave with their segment, the oldest first. An index of open addresses leads from a key to
 * its row of the largest time, and each row names the next older one of its key: a look-up costs what it finds. Row
 * numbers only rise; what a number points to is gone once its segment is.
 */
export class JoinRows {
  #segments: Segment[] = []
  /** The number of the first segment that is here; segment `n` holds rows from `n * segmentRows` on. */
  #first = 0
  /** A row number + 1 by key; 0 is free, and a row that is gone is a place that may be taken again. */
  #slots = new Float64Array(64)
  #used = 0
  /** Where rows were read, said once: topics and partitions by index. */
  readonly #places: JoinPlace[] = []
  #heldBytes = 0

  /** The number that the next row gets, at least. */
  get end(): number {
    const last = this.#segments.at(-1)
    return last === undefined ? this.#first * segmentRows : last.firstRow + last.count
  }

  /** Bytes of memory that the rows take. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  get oldest(): Segment | undefined {
    return this.#segments[0]
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  append(row: NewRow): void {
    const { key, value, time } = row
    const hash = murmur2(key.buffer, key.start, key.end)
    if ((this.#used + 1) * 2 > this.#slots.length) this.#reindex()
    const segment = this.#roomFor(key.end - key.start + value.end - value.start)
    const number = segment.add(row, hash, this.#placeOf(row.origin))
    this.#link(number, segment, hash, time)
  }

  /** The rows of a key with times from `from` to `to`, by time, then in the order they were put. */
  find(key: RawRegion, from: number, to: number): readonly JoinRow[] {
    const { buffer, start, end } = key
    const slot = this.#slotOf(buffer, start, end, murmur2(buffer, start, end))
    let row = (this.#slots[slot] as number) - 1
    let found: JoinRow[] | undefined
    for (;;) {
      const segment = this.#segmentOf(row)
      if (segment === undefined) break
      const index = row - segment.firstRow
      const time = segment.times[index] as number
      if (time < from) break
      if (time <= to) (found ??= []).push(this.#rowAt(segment, index))
      row = segment.older[index] as number
    }
    if (found === undefined) return noRows
    return found.length > 1 ? found.toReversed() : found
  }

  /** All rows, in the order they were put. */
  *all(): Generator<JoinRow, void> {
    for (const segment of this.#segments)
      for (let index = 0; index < segment.count; index++) yield this.#rowAt(segment, index)
  }

  /** Lets the oldest segment go, all of whose rows have expired. */
  dropOldest(): void {
    const segment = this.#segments.shift()
    if (segment === undefined) return
    this.#first++
    this.#heldBytes -= segment.heldBytes
  }

  /** Lets the oldest segments go although others may ask for their rows, as a disk has them. */
  evict(count: number): void {
    for (let done = 0; done < count; done++) this.dropOldest()
    this.#reindex()
  }

  #rowAt(segment: Segment, index: number): JoinRow {
    const { bytes, starts, keyEnds, ends, times, sequences, offsets, places } = segment
    return {
      bytes,
      start: starts[index] as number,
      keyEnd: keyEnds[index] as number,
      end: ends[index] as number,
      time: times[index] as number,
      sequence: sequences[index] as number,
      offset: offsets[index] as number,
      place: this.#places[places[index] as number],
    }
  }

  #roomFor(size: number): Segment {
    const last = this.#segments.at(-1)
    if (last?.hasRoomFor(size) === true) {
      const before = last.heldBytes
      last.reserve(size)
      this.#heldBytes += last.heldBytes - before
      return last
    }
    const capacity = Math.min(segmentRows, Math.max(smallestSegment, (last?.count ?? 0) * 4))
    const perRow = last === undefined || last.count === 0 ? size : last.length / last.count
    const segment = new Segment(
      (this.#first + this.#segments.length) * segmentRows,
      capacity,
      Math.max(size, Math.min(slabBytes, Math.ceil(perRow * capacity * 1.1))),
    )
    this.#segments.push(segment)
    this.#heldBytes += segment.heldBytes
    return segment
  }

  #segmentOf(row: number): Segment | undefined {
    const index = Math.floor(row / segmentRows) - this.#first
    return index < 0 ? undefined : this.#segments[index]
  }

  /** Puts a row where its time belongs among the rows of its key: nearly always before all others. */
  #link(number: number, segment: Segment, hash: number, time: number): void {
    const index = number - segment.firstRow
    const { bytes, starts, keyEnds } = segment
    const slot = this.#slotOf(bytes, starts[index] as number, keyEnds[index] as number, hash)
    const known = (this.#slots[slot] as number) - 1
    if (known < 0) this.#used++
    let before: Segment | undefined
    let beforeIndex = 0
    let next = known
    for (;;) {
      const there = this.#segmentOf(next)
      if (there === undefined || (there.times[next - there.firstRow] as number) <= time) break
      before = there
      beforeIndex = next - there.firstRow
      next = there.older[beforeIndex] as number
    }
    segment.older[index] = next
    if (before === undefined) this.#slots[slot] = number + 1
    else before.older[beforeIndex] = number
  }

  /** The place of a key in the index, or where it belongs. */
  #slotOf(buffer: Bytes, start: number, end: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let free = -1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (slots[slot] as number) - 1
      if (row < 0) return free < 0 ? slot : free
      const segment = this.#segmentOf(row)
      if (segment === undefined) {
        if (free < 0) free = slot
      } else if (segment.hasKey(row - segment.firstRow, hash, buffer, start, end)) return slot
    }
  }

  /** Makes the index again, with room to grow and without what is gone. */
  #reindex(): void {
    let rows = 0
    for (const { count } of this.#segments) rows += count
    let size = 64
    while (size < rows * 4) size *= 2
    this.#slots = new Float64Array(size)
    this.#used = 0
    for (const segment of this.#segments)
      for (let index = 0; index < segment.count; index++)
        this.#link(
          segment.firstRow + index,
          segment,
          segment.hashes[index] as number,
          segment.times[index] as number,
        )
  }

  #placeOf(origin: RecordOrigin | undefined): number {
    if (origin === undefined) return unknownPlace
    const { topic, partition } = origin
    const places = this.#places
    for (let index = 0; index < places.length; index++)
      if (places[index]?.topic === topic && places[index]?.partition === partition) return index
    return places.length < unknownPlace ? places.push({ topic, partition }) - 1 : unknownPlace
  }
}

/** A row as it is found: its key from `start` to `keyEnd`, and from there its value to `end`. */
export interface JoinRow {
  readonly bytes: Bytes
  readonly start: number
  readonly keyEnd: number
  readonly end: number
  readonly time: number
  readonly sequence: number
  /** Where it was read; undefined and -1 where that is not known any more. */
  readonly place: JoinPlace | undefined
  readonly offset: number
}

interface JoinPlace {
  readonly topic: string
  readonly partition: number
}

export interface NewRow {
  readonly key: RawRegion
  readonly value: RawRegion
  readonly time: number
  readonly sequence: number
  readonly origin: RecordOrigin | undefined
}

/** Rows that came one after the other. Their bytes are never written to again, so what is read from them may be kept. */
export class Segment {
  readonly firstRow: number
  count = 0
  maxTime = -Infinity
  bytes: Bytes
  length = 0
  readonly times: Float64Array
  readonly sequences: Int32Array
  readonly hashes: Int32Array
  /** A key begins here, and its value where it ends. */
  readonly starts: Int32Array
  readonly keyEnds: Int32Array
  readonly ends: Int32Array
  /** The row of the same key with the next smaller time; -1 for none. */
  readonly older: Float64Array
  readonly offsets: Float64Array
  readonly places: Uint8Array

  constructor(firstRow: number, capacity: number, bytes: number) {
    this.firstRow = firstRow
    this.bytes = new Uint8Array(bytes)
    this.times = new Float64Array(capacity)
    this.sequences = new Int32Array(capacity)
    this.hashes = new Int32Array(capacity)
    this.starts = new Int32Array(capacity)
    this.keyEnds = new Int32Array(capacity)
    this.ends = new Int32Array(capacity)
    this.older = new Float64Array(capacity)
    this.offsets = new Float64Array(capacity)
    this.places = new Uint8Array(capacity)
  }

  get heldBytes(): number {
    return this.bytes.length + this.times.length * columnBytes
  }

  /** The number of the row after the last one. */
  get end(): number {
    return this.firstRow + this.count
  }

  /** A segment ends early rather than hold more bytes than is good to copy when it grows. */
  hasRoomFor(size: number): boolean {
    if (this.count === this.times.length) return false
    return this.length + size <= Math.max(this.bytes.length, slabBytes)
  }

  reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.length + size, Math.min(slabBytes, this.bytes.length * 2)))
    larger.set(this.bytes)
    this.bytes = larger
  }

  add({ key, value, time, sequence, origin }: NewRow, hash: number, place: number): number {
    const index = this.count++
    this.starts[index] = this.length
    this.#copy(key)
    this.keyEnds[index] = this.length
    this.#copy(value)
    this.ends[index] = this.length
    this.times[index] = time
    this.sequences[index] = sequence
    this.hashes[index] = hash
    this.offsets[index] = origin === undefined ? -1 : origin.offset
    this.places[index] = place
    if (time > this.maxTime) this.maxTime = time
    return this.firstRow + index
  }

  hasKey(index: number, hash: number, buffer: Bytes, start: number, end: number): boolean {
    if (this.hashes[index] !== hash) return false
    const own = this.starts[index] as number
    const length = end - start
    if ((this.keyEnds[index] as number) - own !== length) return false
    const { bytes } = this
    for (let at = 0; at < length; at++) if (bytes[own + at] !== buffer[start + at]) return false
    return true
  }

  keyBytes(index: number): Bytes {
    return this.bytes.subarray(this.starts[index], this.keyEnds[index])
  }

  valueBytes(index: number): Bytes {
    return this.bytes.subarray(this.keyEnds[index], this.ends[index])
  }

  /** A loop beats the call of a native copy for what is as short as most keys. */
  #copy({ buffer, start, end }: RawRegion): void {
    const { bytes } = this
    if (end - start > 24) bytes.set(buffer.subarray(start, end), this.length)
    else for (let from = start, to = this.length; from < end;) bytes[to++] = buffer[from++] as number
    this.length += end - start
  }
}

const noRows: readonly never[] = []
const segmentRows = 4096
const smallestSegment = 256
const slabBytes = 1024 * 1024
const columnBytes = 45
const unknownPlace = 255
