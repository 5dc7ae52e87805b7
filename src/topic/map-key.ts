import { hexEncode } from '../base/bytes.ts'

/** A key of records as the key of a `Map`: windowed keys, bytes and other objects are equal where their contents are. */
export const mapKeyOf = (key: unknown): unknown => {
  if (typeof key !== 'object' || key === null) return key
  return key instanceof Uint8Array ? `\u0000bytes ${hexEncode(key)}` : `\u0000json ${JSON.stringify(key)}`
}
