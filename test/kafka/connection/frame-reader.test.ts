import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader } from '../../../src/kafka/connection/frame-reader.ts'

const framed = (bodies: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    bodies.flatMap((body) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(body.length)
      return [size, body]
    }),
  )

/** Writes what a socket would: as much as there is room for, and no more than `most` at a time. */
const feed = (reader: FrameReader, bytes: Uint8Array, most: () => number): void => {
  for (let at = 0; at < bytes.length;) {
    const { room } = reader
    const length = Math.min(room.length, most(), bytes.length - at)
    room.set(bytes.subarray(at, at + length))
    reader.take(length)
    at += length
  }
}

describe('the frames of a connection', () => {
  it('come out as they were sent, wherever reads end, and are never written to again', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat({ max: 200_000 }).map((length) => new Uint8Array(length).fill(length % 251)),
    )
    fc.assert(
      fc.property(
        fc.array(body),
        fc.array(fc.integer({ min: 1, max: 80_000 }), { minLength: 1 }),
        (bodies, cuts) => {
          const frames: Buffer[] = []
          let cut = 0
          feed(
            new FrameReader((frame) => void frames.push(frame)),
            framed(bodies),
            () => cuts[cut++ % cuts.length] as number,
          )
          expect(frames.length).toBe(bodies.length)
          frames.forEach((frame, index) => expect(frame.equals(bodies[index] as Uint8Array)).toBe(true))
        },
      ),
    )
  })

  it('take a large one into its own memory, a read at a time as large as what is left of it', () => {
    const frames: Buffer[] = []
    const reader = new FrameReader((frame) => void frames.push(frame))
    const bytes = framed([new Uint8Array(1_000_000).fill(7)])
    feed(reader, bytes.subarray(0, 1_000), () => 1_000)
    expect(reader.room.length).toBe(1_000_004 - 1_000)
    feed(reader, bytes.subarray(1_000), () => bytes.length)
    expect(frames).toHaveLength(1)
    expect(frames[0]?.every((byte) => byte === 7)).toBe(true)
  })

  it('get memory as their bytes come where they say that they are larger than 16 MB', () => {
    const frames: Buffer[] = []
    const reader = new FrameReader((frame) => void frames.push(frame))
    const bytes = framed([new Uint8Array(40_000_000).fill(7)])
    feed(reader, bytes.subarray(0, 1_000), () => 1_000)
    expect(reader.room.length).toBeLessThanOrEqual(2 ** 24)
    feed(reader, bytes.subarray(1_000), () => 1_000_000)
    expect(frames[0]?.equals(bytes.subarray(4))).toBe(true)
  })

  it.each([
    ['a size below zero', Buffer.from('ffffffff', 'hex')],
    ['the first bytes of another protocol', Buffer.from('HTTP/1.1 400 Bad Request')],
  ])('are refused where they begin with %s', (_, bytes) => {
    const reader = new FrameReader(() => undefined)
    expect(() => feed(reader, bytes, () => bytes.length)).toThrow(/is no answer of Kafka/)
  })
})
