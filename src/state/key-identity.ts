import type { Bytes } from '../base/bytes.ts'
import { copyBytes } from '../base/bytes.ts'
import { deepFreeze, isUnchangeable } from '../base/plain-data.ts'
import type { Serde } from '../topic/serde.ts'
import { changesValues, copyBySerde, deserialized, serialized } from '../topic/serde.ts'
import { bigLong, integer, long, string } from '../topic/serdes.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { ValueOptions } from './state-store-base.ts'
import { unreadableRow } from './unreadable-row.ts'

/** What a `Map` can find a key by. */
export type KeyId = string | number | bigint

/**
 * Two keys are one where their bytes are one. Text and whole numbers are their own identity, so that finding a row
 * serialises nothing; every other key is known by its bytes, read as a string of one character per byte.
 */
export class KeyIdentity<K> {
  readonly serde: Serde<K>
  /** Whether a key is its own identity; undefined where none is. */
  readonly #isPlain: ((key: unknown) => boolean) | undefined
  readonly #store: string
  readonly #frozen: boolean
  readonly #changesKeys: boolean

  constructor({ key: serde, name }: StoreDefinition, { frozen = false }: Pick<ValueOptions, 'frozen'> = {}) {
    this.#store = name
    this.#frozen = frozen
    this.serde = serde as unknown as Serde<K>
    this.#changesKeys = changesValues(serde)
    this.#isPlain = plainKeys.get(serde.serialize)
  }

  /** The serde refuses what is none of its keys: here, because at the flush the record is no longer known. */
  check(key: K): void {
    if (this.#isPlain?.(key) === false) this.bytesOf(key)
  }

  idOf(key: K): KeyId {
    return exactId(this.quickIdOf(key))
  }

  /** The same for nearly every key, at less cost: where no row has it, `exactId` says for sure. */
  quickIdOf(key: K): KeyId {
    return this.#isPlain?.(key) === true ? (key as KeyId) : idOfBytes(this.bytesOf(key))
  }

  /** The key as a store holds it: as it would be read back. */
  kept(id: KeyId, key: K): K {
    // 0 is read back of -0.
    if (this.#isPlain !== undefined) return (typeof id === 'number' ? id + 0 : id) as K
    return this.#frozen || this.#changesKeys || typeof key === 'number' ? this.#copyOf(key) : detach(key)
  }

  /** A key that the store holds, as a reader gets it. */
  shown(key: K): K {
    return this.#frozen && !isUnchangeable(key) ? this.#copyOf(key) : key
  }

  bytesOf(key: K): Bytes {
    return serialized(this.serde, key as NonNullable<K>, 'key', undefined, this.#store)
  }

  read(source: Bytes, start = 0, end: number = source.length): K {
    return deserialized(this.serde, source, start, end)
  }

  /** The key of a row that the store holds already. */
  readStored(source: Bytes, start = 0, end: number = source.length): K {
    try {
      return deserialized(this.serde, source, start, end)
    } catch (error) {
      throw unreadableRow(this.#store, source.subarray(start, end), error)
    }
  }

  #copyOf(key: K): K {
    const copy = copyBySerde(this.serde, key as NonNullable<K>)
    if (this.#frozen) deepFreeze(copy)
    return copy
  }
}

/** Half a surrogate pair is written as U+FFFD: memory and disk have to agree on which keys are one. */
export const exactId = (id: KeyId): KeyId => (typeof id === 'string' ? id.toWellFormed() : id)

/** Bytes that a store keeps are its own: a view would pin a whole batch, and its owner might write to it. */
export const detach = <T>(value: T): T => (value instanceof Uint8Array ? (copyBytes(value) as T) : value)

const plainKeys: ReadonlyMap<unknown, (key: unknown) => boolean> = new Map<
  unknown,
  (key: unknown) => boolean
>([
  [string.serialize, (key) => typeof key === 'string'],
  [long.serialize, (key) => Number.isSafeInteger(key)],
  [integer.serialize, (key) => ((key as number) | 0) === key],
  [bigLong.serialize, (key) => typeof key === 'bigint' && BigInt.asIntN(64, key) === key],
])

/** Node's own slice: one character per byte, and no view is made. */
const latin1Slice = (
  globalThis as { readonly Buffer?: { readonly prototype: { readonly latin1Slice: Latin1Slice } } }
).Buffer?.prototype.latin1Slice

type Latin1Slice = (this: Bytes, start: number, end: number) => string

const idOfBytes = (bytes: Bytes): string =>
  latin1Slice === undefined
    ? Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
    : latin1Slice.call(bytes, 0, bytes.length)
