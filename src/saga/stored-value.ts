import type { Bytes } from '../base/bytes.ts'
import { bytesEqual, hexDecode, hexEncode, utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { AnySerde } from '../topic/serde.ts'
import { deserialized, serialized } from '../topic/serde.ts'

/**
 * A value of a topic as a saga's state stores it: the bytes of the topic's own serde, so that a state can store whatever a
 * topic can carry. JSON is stored as JSON, so that a person can read it; other bytes are hexadecimal digits. A stored value
 * is read only when a callback asks for it.
 */
export type StoredValue = { readonly json: unknown } | { readonly hex: string }

export const toStored = (serde: AnySerde, value: unknown): StoredValue => {
  const bytes = serialized(serde, value as never)
  return asJson(bytes) ?? { hex: hexEncode(bytes) }
}

export const readStored = (serde: AnySerde, stored: StoredValue): unknown => {
  const bytes = 'hex' in stored ? hexDecode(stored.hex) : utf8Encode(JSON.stringify(stored.json))
  return deserialized(serde, bytes, 0, bytes.length)
}

/** Undefined unless these very bytes come out again. */
const asJson = (bytes: Bytes): StoredValue | undefined => {
  try {
    const json: unknown = JSON.parse(utf8Decode(bytes))
    return bytesEqual(utf8Encode(JSON.stringify(json)), bytes) ? { json } : undefined
  } catch {
    return undefined
  }
}
