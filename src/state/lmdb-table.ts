import type { Database } from 'lmdb'
import type { Bytes } from '../base/bytes.ts'
import { Fault } from '../base/fault.ts'
import { ScratchBytes } from '../base/scratch-bytes.ts'
import type { DiskEntry, DiskRange, DiskTable } from './disk.ts'

/** One named table of an LMDB environment. */
export class LmdbTable implements DiskTable {
  readonly #database: Database<Bytes, Bytes>
  readonly #store: string
  readonly #faultOf: (error: unknown) => Fault

  constructor(database: Database<Bytes, Bytes>, store: string, faultOf: (error: unknown) => Fault) {
    this.#database = database
    this.#store = store
    this.#faultOf = faultOf
  }

  get(key: Bytes): Bytes | undefined {
    if (key.length > largestKeyBytes) return undefined
    try {
      return this.#database.get(key)
    } catch (error) {
      throw this.#faultOf(error)
    }
  }

  page({ from, to, exclusive, reverse }: DiskRange, limit: number): readonly DiskEntry[] {
    const start = shortened(reverse ? to : from)
    const end = shortened(reverse ? from : to)
    try {
      return [
        ...this.#database.getRange({
          ...(start === undefined ? {} : { start }),
          ...(end === undefined ? {} : { end, inclusiveEnd: true }),
          exclusiveStart: exclusive,
          reverse,
          limit,
        }),
      ]
    } catch (error) {
      throw this.#faultOf(error)
    }
  }

  set(key: Bytes, value: Bytes | undefined): void {
    if (key.length > largestKeyBytes) throw keyTooLarge(this.#store, key.length)
    if (value === undefined) this.#database.removeSync(key)
    else this.#database.putSync(key, outsideOfHeap(value))
  }

  count(): number {
    return (this.#database.getStats() as { readonly entryCount: number }).entryCount
  }

  clear(): void {
    this.#database.clearSync()
  }
}

/**
 * LMDB gets the address of a value, so a short one, which V8 keeps within its own heap, would get memory outside of it first,
 * for one call. Copied to memory that is there already, it costs a tenth.
 */
const outsideOfHeap = (value: Bytes): Bytes => {
  if (value.length > largestInHeap) return value
  const copy = scratch.take(value.length)
  copy.set(value)
  return copy
}

/** Typed arrays of up to so many bytes are part of V8's heap (`--typed-array-max-size-in-heap`). */
const largestInHeap = 64
const scratch = new ScratchBytes()

/** What LMDB takes with its pages of 4 KiB. */
const largestKeyBytes = 1978

/** A bound may be longer than any key: no key lies between it and its beginning but those that begin with that. */
const shortened = (bound: Bytes | undefined): Bytes | undefined =>
  bound !== undefined && bound.length > largestKeyBytes ? bound.subarray(0, largestKeyBytes) : bound

const keyTooLarge = (store: string, length: number): Fault =>
  new Fault({
    code: 'STORE_KEY_TOO_LARGE',
    actor: 'record',
    message: `a key of ${length} bytes is larger than the ${largestKeyBytes} that a store on disk takes`,
    remedy: "use shorter keys, or give the store storage: 'memory'",
    place: { store },
  })
