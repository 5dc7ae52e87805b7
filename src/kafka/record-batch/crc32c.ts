import { Writer, crc32c as libraryCrc32c } from '@platformatic/kafka'
import type { Bytes } from '../../base/bytes.ts'
import { crc32c as shortCrc32c } from '../../base/crc32c.ts'

/**
 * CRC-32C of a part of `bytes`, by the library's native code where the machine has it. A call of native code costs more
 * than it saves for a short batch. The library copies a plain array first, but not its own buffer type.
 */
export const crc32c = (bytes: Bytes, start = 0, end: number = bytes.length): number =>
  end - start <= longestShortBytes
    ? shortCrc32c(bytes, start, end)
    : libraryCrc32c(
        Writer.create().append(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start))
          .dynamicBuffer,
      ) >>> 0

const longestShortBytes = 2_048
