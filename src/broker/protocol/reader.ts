import { utf8Decode, type Bytes } from '../../base/bytes.ts'
import { Fault } from '../../base/fault.ts'
import { uuidFromBytes } from './uuid.ts'
import { getInt64 } from './int64.ts'

/** The fault for bytes that are no request; the connection they came from is closed, as Kafka does. */
export const malformed = (message: string): Fault =>
  new Fault({
    code: 'MALFORMED_REQUEST',
    actor: 'runtime',
    message,
    remedy: 'check that the client speaks the Kafka protocol to this port',
  })

const truncated = (): Fault => malformed('a request ended before its last field')

/** Reads the primitives of the Kafka protocol from one frame, in order; reading past its end is a fault. */
export class Reader {
  readonly bytes: Bytes
  readonly #view: DataView
  position = 0

  constructor(bytes: Bytes) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.bytes.length - this.position
  }

  int8(): number {
    return this.#view.getInt8(this.#advance(1))
  }

  int16(): number {
    return this.#view.getInt16(this.#advance(2))
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2))
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4))
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4))
  }

  int64(): number {
    return getInt64(this.#view, this.#advance(8))
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8))
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#view.getUint8(this.#advance(1))
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
    throw truncated()
  }

  uuid(): string {
    const at = this.#advance(16)
    return uuidFromBytes(this.bytes.subarray(at, at + 16))
  }

  string(length: number): string {
    const at = this.#advance(length)
    return utf8Decode(this.bytes, at, at + length)
  }

  /** A view, not a copy: a caller that stores it copies it. */
  view(length: number): Bytes {
    const at = this.#advance(length)
    return this.bytes.subarray(at, at + length)
  }

  #advance(length: number): number {
    const at = this.position
    if (length < 0 || at + length > this.bytes.length) throw truncated()
    this.position = at + length
    return at
  }
}
