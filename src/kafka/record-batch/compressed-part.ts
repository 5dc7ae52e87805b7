import type { Bytes } from '../../base/bytes.ts'

/** A part of a compressed batch that can be decompressed without the others. */
export interface CompressedPart {
  /** The most that it may become, known before it is decompressed. */
  readonly maxBytes: number
  readonly unpack: () => Bytes
}
