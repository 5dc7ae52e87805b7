/**
 * Items in order, in chunks of a few hundred: an insertion moves part of one chunk, a look-up halves twice. Two levels
 * are enough for what one task holds, and arrays are what the engine moves fastest.
 *
 * A cursor survives changes beside it: it goes on behind the last item it gave, wherever that now is.
 */
export class SortedList<T> {
  readonly #compare: (left: T, right: T) => number
  readonly #chunks: T[][] = []
  #size = 0
  /** Rises with every change, so that cursors know when to look again. */
  version = 0

  constructor(compare: (left: T, right: T) => number, sorted: readonly T[] = []) {
    this.#compare = compare
    this.#size = sorted.length
    for (let start = 0; start < sorted.length; start += chunkFill)
      this.#chunks.push(sorted.slice(start, start + chunkFill))
  }

  get size(): number {
    return this.#size
  }

  get first(): T | undefined {
    return this.#chunks[0]?.[0]
  }

  /** Adds an item; one that compares equal to another is put behind it. */
  insert(item: T): void {
    this.version++
    this.#size++
    this.#insertAt(
      this.#lowerBound((each) => this.#compare(each, item), true),
      item,
    )
  }

  /** Adds an item unless one is there that compares equal. */
  insertOnce(item: T): void {
    const position = this.#lowerBound((each) => this.#compare(each, item), false)
    const there = this.at(position)
    if (there !== undefined && this.#compare(there, item) === 0) return
    this.version++
    this.#size++
    this.#insertAt(position, item)
  }

  #insertAt(position: Position, item: T): void {
    if (position.chunk === this.#chunks.length) position.chunk--
    const chunk = this.#chunks[position.chunk]
    if (chunk === undefined) {
      this.#chunks.push([item])
      return
    }
    const atEnd = this.#compare(chunk[chunk.length - 1] as T, item) <= 0
    if (atEnd) chunk.push(item)
    else chunk.splice(position.index, 0, item)
    if (chunk.length > chunkLimit) this.#split(position.chunk, atEnd)
  }

  /** Takes out an item that compares equal; false where there is none. */
  remove(item: T): boolean {
    const { chunk: at, index } = this.#lowerBound((each) => this.#compare(each, item), false)
    const chunk = this.#chunks[at]
    if (chunk === undefined || this.#compare(chunk[index] as T, item) !== 0) return false
    this.version++
    this.#size--
    if (chunk.length === 1) this.#chunks.splice(at, 1)
    else if (index === 0) chunk.shift()
    else chunk.splice(index, 1)
    return true
  }

  /**
   * Walks from the bound on, upwards or in reverse. `fromBound` compares an item with the bound; the bound itself is
   * included. Without it the walk starts at the end it comes from.
   */
  cursor(fromBound?: (item: T) => number, reverse = false): Cursor<T> {
    return new ListCursor(this, this.#compare, fromBound, reverse)
  }

  /** For cursors: the first item that is not below the bound (or, strictly, above it), as a position. */
  seek(fromBound: (item: T) => number, strictly: boolean, reverse: boolean): Position {
    if (!reverse) return this.#lowerBound(fromBound, strictly)
    return this.step(this.#lowerBound(fromBound, !strictly), true)
  }

  seekEnd(reverse: boolean): Position {
    return reverse ? this.step({ chunk: this.#chunks.length, index: 0 }, true) : { chunk: 0, index: 0 }
  }

  at({ chunk, index }: Position): T | undefined {
    return this.#chunks[chunk]?.[index]
  }

  step(position: Position, reverse: boolean): Position {
    const { chunk, index } = position
    if (reverse) {
      if (index > 0) position.index--
      else {
        position.chunk--
        position.index = (this.#chunks[chunk - 1]?.length ?? 0) - 1
      }
    } else if (index + 1 < (this.#chunks[chunk]?.length ?? 0)) position.index++
    else {
      position.chunk++
      position.index = 0
    }
    return position
  }

  #split(at: number, atEnd: boolean): void {
    const chunk = this.#chunks[at] as T[]
    // What grows at its end only would leave every chunk half full.
    const keep = atEnd && at === this.#chunks.length - 1 ? chunkFill : chunk.length >> 1
    this.#chunks.splice(at + 1, 0, chunk.splice(keep))
  }

  #lowerBound(fromBound: (item: T) => number, strictly: boolean): Position {
    const limit = strictly ? 1 : 0
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const chunk = this.#chunks[middle] as T[]
      if (beyond(fromBound(chunk[chunk.length - 1] as T), limit)) high = middle
      else low = middle + 1
    }
    return { chunk: low, index: lowerBoundIn(this.#chunks[low] ?? [], fromBound, limit) }
  }
}

/** Where something is ordered: it gives one item after the other, and bears changes in between. */
export interface Cursor<T> {
  peek(): T | undefined
  advance(): void
}

interface Position {
  chunk: number
  index: number
}

const chunkFill = 256
const chunkLimit = 384

const beyond = (difference: number, limit: number): boolean =>
  limit === 0 ? difference >= 0 : difference > 0

const lowerBoundIn = <T>(chunk: readonly T[], fromBound: (item: T) => number, limit: number): number => {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (beyond(fromBound(chunk[middle] as T), limit)) high = middle
    else low = middle + 1
  }
  return low
}

class ListCursor<T> implements Cursor<T> {
  readonly #list: SortedList<T>
  readonly #compare: (left: T, right: T) => number
  readonly #fromBound: ((item: T) => number) | undefined
  readonly #reverse: boolean
  #position: Position | undefined
  #version = -1
  #last: { readonly item: T } | undefined

  constructor(
    list: SortedList<T>,
    compare: (left: T, right: T) => number,
    fromBound: ((item: T) => number) | undefined,
    reverse: boolean,
  ) {
    this.#list = list
    this.#compare = compare
    this.#fromBound = fromBound
    this.#reverse = reverse
  }

  peek(): T | undefined {
    if (this.#position === undefined || this.#version !== this.#list.version) {
      this.#position = this.#find()
      this.#version = this.#list.version
    }
    return this.#list.at(this.#position)
  }

  advance(): void {
    const item = this.peek()
    if (item === undefined || this.#position === undefined) return
    this.#last = { item }
    this.#position = this.#list.step(this.#position, this.#reverse)
  }

  #find(): Position {
    const last = this.#last
    if (last !== undefined)
      return this.#list.seek((item) => this.#compare(item, last.item), true, this.#reverse)
    if (this.#fromBound === undefined) return this.#list.seekEnd(this.#reverse)
    return this.#list.seek(this.#fromBound, false, this.#reverse)
  }
}
