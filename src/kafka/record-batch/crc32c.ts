import { Writer, crc32c as libraryCrc32c } from '@platformatic/kafka'
import type { Bytes } from '../../base/bytes.ts'

/**
 * CRC-32C of `bytes`, by the library's native code where the machine has it. The library copies a plain array before
 * it sums it up, but not its own buffer type, hence the wrapping.
 */
export const crc32c = (bytes: Bytes): number =>
  libraryCrc32c(
    Writer.create().append(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).dynamicBuffer,
  ) >>> 0
