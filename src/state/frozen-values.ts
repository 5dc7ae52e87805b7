import type { Bytes } from '../base/bytes.ts'
import { deepFreeze, isUnchangeable } from '../base/plain-data.ts'
import type { Deserializer, Serializer } from '../topic/serde.ts'
import { copyBySerde, deserializeAll } from '../topic/serde.ts'

/**
 * The values of a store whose state is frozen (`freezeState`): only a put changes them. The store holds each object as its
 * serde reads it back. Plain data is frozen and shared with readers, so a callback that changes it throws. Every reader gets a
 * copy of its own of what cannot be frozen: Maps, Sets, Dates, bytes and instances of classes.
 */
export class FrozenValues {
  readonly #serde: Serializer<unknown> & Deserializer<unknown>

  constructor(serde: Serializer<unknown> & Deserializer<unknown>) {
    this.#serde = serde
  }

  /** The value as the store holds it. The object that was put is frozen too, because later steps get it. */
  put(value: unknown, bytes: Bytes): unknown {
    deepFreeze(value)
    return this.read(deserializeAll(this.#serde, bytes))
  }

  /** The same for a value that was just read from bytes of its own. */
  read(value: unknown): unknown {
    deepFreeze(value)
    return value
  }

  /** A value that the store holds, as a reader gets it. */
  shown(value: unknown): unknown {
    return isUnchangeable(value) ? value : this.read(copyBySerde(this.#serde, value as object))
  }
}
