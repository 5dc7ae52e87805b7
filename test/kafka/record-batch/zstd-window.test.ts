import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zstdWindowBytes } from '../../../src/kafka/record-batch/zstd-window.ts'

/** As a producer compresses that does not know the size at its first byte: the window stands in the header. */
const streamed = async (parts: readonly Uint8Array[], windowLog: number): Promise<Buffer> => {
  const stream = createZstdCompress({
    params: { [constants.ZSTD_c_windowLog]: windowLog, [constants.ZSTD_c_checksumFlag]: windowLog % 2 },
  })
  const packed: Buffer[] = []
  stream.on('data', (chunk: Buffer) => packed.push(chunk))
  const ended = new Promise((resolve) => stream.once('end', resolve))
  for (const part of parts) stream.write(part)
  stream.end()
  await ended
  return Buffer.concat(packed)
}

const zeros = (size: number): Uint8Array => new Uint8Array(size)
const skippable = (size: number): Buffer => {
  const frame = Buffer.alloc(8 + size, 7)
  frame.writeUInt32LE(0x18_4d_2a_53)
  frame.writeUInt32LE(size, 4)
  return frame
}

describe('the window of zstd', () => {
  it.each([10, 17, 21, 24, 27])('of 2 to the power of %i is read from the header', async (windowLog) => {
    expect(zstdWindowBytes(await streamed([zeros(5), zeros(3_000_000)], windowLog))).toBe(2 ** windowLog)
  })

  it('is the content where the frame says its size and is a single segment', () => {
    for (const size of [1, 200, 300, 70_000, 2_000_000])
      expect(zstdWindowBytes(zstdCompressSync(zeros(size)))).toBe(size)
  })

  it('is the largest of all frames, whatever stands before them', async () => {
    const [small, wide] = [
      await streamed([zeros(1), zeros(9_000_000)], 12),
      await streamed([zeros(1), zeros(9)], 26),
    ]
    expect(zstdWindowBytes(Buffer.concat([small, skippable(9), small, wide, small]))).toBe(2 ** 26)
  })

  it('is found in whatever bytes there are, without an error', () => {
    const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, isFrame) => {
        const all = isFrame ? Buffer.concat([magic, bytes]) : Buffer.from(bytes)
        expect(zstdWindowBytes(all)).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
