import { Fault } from '../base/fault.ts'
import { deepFreeze } from '../base/plain-data.ts'
import type { RawRegion } from '../topic/record.ts'
import { LentBytes } from '../topic/lent-bytes.ts'
import type { Deserializer, FixedWriter, Serializer } from '../topic/serde.ts'
import { changesValues, deserializeAll, fixedOf, textOf } from '../topic/serde.ts'
import { defaultMaxRequestSize, recordOverheadBytes } from '../topic/record-size.ts'
import { string } from '../topic/serdes.ts'
import { refusePromise } from '../topology/callback-results.ts'
import type { StoreDefinition } from '../topology/store-definition.ts'
import type { KeyIdentity } from './key-identity.ts'
import { detach } from './key-identity.ts'
import type { FrozenValues } from './frozen-values.ts'
import type { ValueOptions } from './value-options.ts'

/**
 * Looks at every key and value when it is put, as Kafka Streams does by serialising there: what cannot be written is the
 * failure of the record at hand, with its policy. At the flush its record is unknown, and the row would have lost
 * its last good value. A number costs a few nanoseconds; an object is serialised once more than its changes are flushed.
 */
export class PutCheck {
  readonly #store: string
  readonly #serde: Serializer<unknown> & Deserializer<unknown>
  readonly #fixed: FixedWriter<unknown> | undefined
  readonly #isText: boolean
  readonly #isWrittenAsText: boolean
  readonly #changesValues: boolean
  readonly #maxKeyBytes: number
  readonly #maxRecordBytes: number
  readonly #frozen: FrozenValues | undefined
  readonly #isKnownWritable: ((value: unknown) => boolean) | undefined
  readonly #lent = new LentBytes()

  constructor(definition: StoreDefinition, options: ValueOptions, frozen: FrozenValues | undefined) {
    this.#store = definition.name
    this.#serde = definition.value as unknown as Serializer<unknown> & Deserializer<unknown>
    this.#fixed = fixedOf(this.#serde)
    this.#isText = this.#serde.serialize === (string.serialize as unknown)
    this.#isWrittenAsText = textOf(this.#serde) !== undefined
    this.#changesValues = changesValues(this.#serde)
    const timed = definition.kind !== 'keyValue' && definition.kind !== 'versioned'
    const overhead = timed ? timedKeyOverheadBytes : 1
    this.#maxKeyBytes = definition.storage === 'memory' ? Infinity : largestLmdbKeyBytes - overhead
    const suffix = timed ? timedKeyOverheadBytes : 0
    this.#maxRecordBytes = definition.changelog
      ? (options.maxRequestSize ?? defaultMaxRequestSize) - recordOverheadBytes - suffix
      : Infinity
    this.#frozen = frozen
    this.#isKnownWritable =
      frozen !== undefined || this.#changesValues || definition.kind !== 'keyValue'
        ? undefined
        : definition.isKnownWritable
  }

  /** Returns how many bytes the key has at most. */
  key<K>(keys: KeyIdentity<K>, key: K): number {
    if (typeof key === 'object') refusePromise(`store '${this.#store}'`, key, 'was given')
    keys.check(key)
    if (typeof key === 'number') return 8
    // Three bytes a character at most: most keys need no bytes to be counted.
    if (typeof key === 'string' && key.length * 3 <= Math.min(this.#maxKeyBytes, shortKeyBytes))
      return key.length * 3
    if (this.#isKnownWritable !== undefined) return 0
    const { length } = keys.bytesOf(key)
    this.keyLength(length)
    return length
  }

  takesKey(length: number): boolean {
    return length <= this.#maxKeyBytes
  }

  keyLength(length: number): void {
    if (!this.takesKey(length)) throw keyTooLarge(this.#store, length, this.#maxKeyBytes)
  }

  /** The record of the changelog, of which the value is a part. */
  recordLength(length: number): void {
    if (length > this.#maxRecordBytes) throw recordTooLarge(this.#store, length, this.#maxRecordBytes)
  }

  /** The value as the store holds it, beside a key and headers of so many bytes. */
  value(value: unknown, besideBytes: number): unknown {
    if (value === undefined) throw valueUndefined(this.#store)
    if (typeof value === 'object') refusePromise(`store '${this.#store}'`, value, 'was given')
    if (this.#fixed !== undefined) {
      this.#fixed.check(value)
      this.recordLength(besideBytes + this.#fixed.length)
      return withoutSign(value)
    }
    if (this.#isKnownWritable?.(value) === true) return value
    if (!this.#isText || typeof value !== 'string') return this.#valueAsWritten(value, besideBytes)
    // Half a surrogate pair is written as U+FFFD, so that is what the store holds.
    const text = value.toWellFormed()
    return besideBytes + text.length * 3 <= this.#maxRecordBytes
      ? text
      : this.valueAsRead(text, this.#lent.regionOf(this.#serde, text, undefined, this.#store), besideBytes)
  }

  #valueAsWritten(value: unknown, besideBytes: number): unknown {
    const region = this.#lent.regionOf(this.#serde, value, undefined, this.#store)
    if (!this.#changesValues)
      return this.valueAsRead(this.#isWrittenAsText ? withoutSign(value) : value, region, besideBytes)
    this.recordLength(besideBytes + region.end - region.start)
    if (this.#frozen !== undefined) deepFreeze(value)
    const read = deserializeAll(this.#serde, region.buffer.slice(region.start, region.end))
    return this.#frozen === undefined ? read : this.#frozen.read(read)
  }

  /** The same where its bytes are there already. */
  valueAsRead(value: unknown, { buffer, start, end }: RawRegion, besideBytes: number): unknown {
    this.recordLength(besideBytes + end - start)
    if (this.#frozen === undefined || typeof value !== 'object') return detach(value)
    return this.#frozen.put(value, buffer.slice(start, end))
  }
}

/** Integers and JSON have no -0: 0 is read back. */
const withoutSign = (value: unknown): unknown => (typeof value === 'number' ? value + 0 : value)

const largestLmdbKeyBytes = 1_978
/** What stands around the key where rows lie by key and time: its length, the time and a second number. */
const timedKeyOverheadBytes = 20
/** A key whose bytes are not counted exactly: beside it, a record of nearly the largest size may be refused. */
const shortKeyBytes = 300

const keyTooLarge = (store: string, length: number, limit: number): Fault =>
  new Fault({
    code: 'STORE_KEY_TOO_LARGE',
    actor: 'record',
    message: `a key of ${length} bytes is longer than a store on disk takes (${limit})`,
    remedy: "hash or shorten the key, or keep the store in memory with storage: 'memory'",
    place: { store },
  })

const valueUndefined = (store: string): Fault =>
  new Fault({
    code: 'UNDEFINED_RETURNED',
    actor: 'record',
    message: `store '${store}' was given undefined in place of a value`,
    remedy: 'put a value, or null for a deletion',
    place: { store },
  })

const recordTooLarge = (store: string, length: number, limit: number): Fault =>
  new Fault({
    code: 'RECORD_TOO_LARGE',
    actor: 'record',
    message: `a row of ${length} bytes is larger than a record of the changelog may be (${limit})`,
    remedy: "keep less in one row, or raise maxRequestSize and the changelog topic's max.message.bytes",
    place: { store },
  })
