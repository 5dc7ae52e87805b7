import { hexEncode } from '../base/bytes.ts'

/** A key as one of a map: keys of the same content are one, as their bytes are in a topic. */
export const mapKeyOf = (key: unknown): unknown => {
  if (typeof key !== 'object' || key === null) return key
  return key instanceof Uint8Array ? `\u0000bytes ${hexEncode(key)}` : `\u0000json ${JSON.stringify(key)}`
}
