import type { KeyId } from './key-identity.ts'

/** What stands for a key, and knows its identity: a row, or all rows of a key. */
export interface IndexedRow {
  readonly id: KeyId
}

/**
 * What stands for each key, by its identity: open addressing with linear probing, and deletion by shifting back, so that no
 * tombstones gather (Knuth, The Art of Computer Programming 3, 6.4, Algorithm R).
 *
 * The text of a key that was just read has no hash yet, and a `Map` looks at the text of every key it meets on the way:
 * two misses of the processor's cache each. Here hashes lie side by side, and only a row whose hash is the same is
 * looked at, which halves what a look-up among a hundred thousand rows takes. The rows themselves lie in the order in
 * which they came: the collector moves them in the order in which it finds them, and who works through rows that lie
 * all over the heap waits for each.
 *
 * A row that finds no slot within `longestProbe` goes to a `Map`: keys may be chosen so that their hashes are one, and a
 * look-up stays bounded all the same.
 */
export class KeyIndex<R extends IndexedRow> {
  /** Two numbers a slot: a hash, 0 where the slot is free, and the row's place. */
  #slots = new Int32Array(smallestCapacity * 2)
  #capacity = smallestCapacity
  #placed = 0
  readonly #rows: (R | undefined)[] = []
  readonly #freePlaces: number[] = []
  readonly #crowded = new Map<KeyId, R>()
  /** The place at which the next sweep begins. */
  #hand = 0

  get size(): number {
    return this.#placed + this.#crowded.size
  }

  get(id: KeyId): R | undefined {
    const slots = this.#slots
    const mask = this.#capacity - 1
    const hash = hashOf(id)
    for (let probe = 0, slot = hash & mask; probe < longestProbe; probe++, slot = (slot + 1) & mask) {
      const found = slots[slot * 2]
      if (found === 0) break
      if (found !== hash) continue
      const row = this.#rows[slots[slot * 2 + 1] as number] as R
      if (row.id === id) return row
    }
    return this.#crowded.size === 0 ? undefined : this.#crowded.get(id)
  }

  /** Adds a row whose identity is not there yet. */
  add(row: R): void {
    if ((this.#placed + 1) * 2 > this.#capacity) this.#grow()
    const hash = hashOf(row.id)
    const place = this.#freePlaces.pop() ?? this.#rows.length
    this.#rows[place] = row
    this.#placed++
    this.#putAt(this.#freeSlotFor(hash), hash, place)
  }

  /** Takes a row out; nothing happens where it is not in. */
  delete(row: R): void {
    if (this.#crowded.get(row.id) === row) {
      this.#crowded.delete(row.id)
      return
    }
    const slot = this.#slotOf(row)
    if (slot === undefined) return
    this.#take(slot)
    if (this.#capacity > smallestCapacity && this.#placed * 8 < this.#capacity) this.#shrink()
  }

  /** In the order in which they came, but for places that were taken again. */
  *values(): Generator<R, void> {
    for (const row of this.#rows) if (row !== undefined) yield row
    yield* this.#crowded.values()
  }

  /** The same as a list, in a fraction of the time. */
  toArray(): R[] {
    const rows = this.#rows.filter((row) => row !== undefined)
    return this.#crowded.size === 0 ? rows : rows.concat([...this.#crowded.values()])
  }

  /**
   * Goes round once, from where the last sweep has ended, and takes out each row for which `leaves` is true; ends early
   * once `isEnough`.
   */
  sweep(leaves: (row: R) => boolean, isEnough: () => boolean = () => false): void {
    for (const row of this.#crowded.values()) {
      if (isEnough()) return
      if (leaves(row)) this.#crowded.delete(row.id)
    }
    for (let left = this.#rows.length; left > 0 && !isEnough(); left--) {
      if (this.#hand >= this.#rows.length) this.#hand = 0
      const row = this.#rows[this.#hand++]
      if (row !== undefined && leaves(row)) this.#take(this.#slotOf(row) as number)
    }
  }

  #slotOf(row: R): number | undefined {
    const mask = this.#capacity - 1
    for (
      let probe = 0, slot = hashOf(row.id) & mask;
      probe < longestProbe;
      probe++, slot = (slot + 1) & mask
    ) {
      if (this.#slots[slot * 2] === 0) return undefined
      if (this.#rows[this.#slots[slot * 2 + 1] as number] === row) return slot
    }
    return undefined
  }

  #freeSlotFor(hash: number): number | undefined {
    const mask = this.#capacity - 1
    for (let probe = 0, slot = hash & mask; probe < longestProbe; probe++, slot = (slot + 1) & mask)
      if (this.#slots[slot * 2] === 0) return slot
    return undefined
  }

  /** Notes in a slot where a row lies; without a slot for it, the row moves to the crowded ones. */
  #putAt(slot: number | undefined, hash: number, place: number): void {
    if (slot === undefined) {
      const row = this.#takePlace(place)
      this.#crowded.set(row.id, row)
      return
    }
    this.#slots[slot * 2] = hash
    this.#slots[slot * 2 + 1] = place
  }

  #takePlace(place: number): R {
    const row = this.#rows[place] as R
    this.#rows[place] = undefined
    this.#freePlaces.push(place)
    this.#placed--
    return row
  }

  /** Takes out the row of a slot, and moves up the slots behind it that were kept from it. */
  #take(slot: number): void {
    const slots = this.#slots
    const mask = this.#capacity - 1
    this.#takePlace(slots[slot * 2 + 1] as number)
    let free = slot
    for (let next = (free + 1) & mask; slots[next * 2] !== 0; next = (next + 1) & mask) {
      const wayFromHome = (next - (slots[next * 2] as number)) & mask
      if (wayFromHome < ((next - free) & mask)) continue
      slots[free * 2] = slots[next * 2] as number
      slots[free * 2 + 1] = slots[next * 2 + 1] as number
      free = next
    }
    slots[free * 2] = 0
  }

  /** Twice the slots. No row is looked at, as millions of them lie all over the heap. */
  #grow(): void {
    const slots = this.#slots
    this.#capacity *= 2
    this.#slots = new Int32Array(this.#capacity * 2)
    for (let at = 0; at < slots.length; at += 2) {
      const hash = slots[at] as number
      const place = slots[at + 1] as number
      if (hash !== 0) this.#putAt(this.#freeSlotFor(hash), hash, place)
    }
  }

  /** A quarter of the slots; the rows come to lie close together. */
  #shrink(): void {
    const rows = [...this.values()]
    this.#capacity = Math.max(smallestCapacity, this.#capacity / 4)
    this.#slots = new Int32Array(this.#capacity * 2)
    this.#placed = 0
    this.#hand = 0
    this.#rows.length = 0
    this.#freePlaces.length = 0
    this.#crowded.clear()
    for (const row of rows) this.add(row)
  }
}

/** Powers of two, of which at most a half is taken: some two slots are looked at for a row. */
const smallestCapacity = 16
/** By chance, a run as long as this does not come about. */
const longestProbe = 64

/** Never 0, which marks a free slot. */
const hashOf = (id: KeyId): number => {
  const hash = typeof id === 'string' ? hashOfText(id) : hashOfNumber(id)
  return hash === 0 ? 1 : hash
}

/** FNV-1a by characters, each folded in, and the last bits mixed as murmur3 does. */
const hashOfText = (text: string): number => {
  let hash = 0x811c_9dc5 | 0
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
    hash ^= hash >>> 15
  }
  return mixed(hash)
}

const hashOfNumber = (id: number | bigint): number => {
  if (typeof id === 'bigint')
    return mixed(Number(BigInt.asIntN(32, id)) ^ Number(BigInt.asIntN(32, id >> 32n)))
  return mixed((id | 0) ^ Math.imul(Math.floor(id / 0x1_0000_0000) | 0, 0x9e37_79b1))
}

const mixed = (value: number): number => {
  let hash = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return hash ^ (hash >>> 16)
}
