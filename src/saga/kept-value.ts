import type { Bytes } from '../base/bytes.ts'
import { bytesEqual, hexDecode, hexEncode, utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { AnySerde } from '../topic/serde.ts'
import { deserialized, serialized } from '../topic/serde.ts'

/**
 * A value of a topic as a saga's state keeps it: what the topic's own serde writes, so that a state can keep whatever a
 * topic can carry. JSON stands for itself, so that a person can read it; other bytes are hexadecimal digits. A kept value
 * is read only when somebody asks for it.
 */
export type KeptValue = { readonly json: unknown } | { readonly hex: string }

export const keep = (serde: AnySerde, value: unknown): KeptValue => {
  const bytes = serialized(serde, value as never)
  return asJson(bytes) ?? { hex: hexEncode(bytes) }
}

export const readKept = (serde: AnySerde, kept: KeptValue): unknown => {
  const bytes = 'hex' in kept ? hexDecode(kept.hex) : utf8Encode(JSON.stringify(kept.json))
  return deserialized(serde, bytes, 0, bytes.length)
}

/** Undefined unless these very bytes come out again. */
const asJson = (bytes: Bytes): KeptValue | undefined => {
  try {
    const json: unknown = JSON.parse(utf8Decode(bytes))
    return bytesEqual(utf8Encode(JSON.stringify(json)), bytes) ? { json } : undefined
  } catch {
    return undefined
  }
}
