import { describe, expect, it } from 'vitest'
import { decodeOffsetMetadata, encodeOffsetMetadata } from '../../src/runtime/offset-metadata.ts'

describe('offset metadata', () => {
  it('is what Kafka Streams commits', () => {
    const metadata = encodeOffsetMetadata({ partitionTimeMs: 1_795_226_300_010, processors: new Map() })
    expect(metadata).toBe('AgAAAaH7025q')
    expect(decodeOffsetMetadata('AgAAAaH7025q')).toEqual({
      partitionTimeMs: 1_795_226_300_010,
      processors: new Map(),
    })
  })

  it('carries the numbers of nodes', () => {
    const known = {
      partitionTimeMs: -1,
      processors: new Map([
        ['final', 7],
        ['ünïcode', -1],
      ]),
    }
    expect(decodeOffsetMetadata(encodeOffsetMetadata(known))).toEqual(known)
  })

  it.each([new Map(), new Map([['final', 7]])])('carries the topic behind the numbers %j', (processors) => {
    const id = '0123abcd-4567-89ab-cdef-0123456789ab'
    const known = { partitionTimeMs: 5, processors, topic: { id, partitions: 12 } }
    const metadata = encodeOffsetMetadata(known)
    expect(decodeOffsetMetadata(metadata)).toEqual(known)
    const withoutId = encodeOffsetMetadata({ partitionTimeMs: 5, processors })
    expect(Buffer.from(metadata, 'base64').indexOf(Buffer.from(withoutId, 'base64'))).toBe(0)
  })

  it.each([null, undefined, '', 'no base64 of ours', 'Zm9v'])('says nothing where it is %j', (metadata) => {
    expect(decodeOffsetMetadata(metadata)).toEqual({ partitionTimeMs: -1, processors: new Map() })
  })

  it.each([
    ['more numbers than it holds', `02${'00'.repeat(8)}7fffffff`],
    ['a name of a negative length', `02${'00'.repeat(8)}7fffffff${'fffffff4'.repeat(3)}${'00'.repeat(9)}`],
  ])('says nothing where it has %s', (_, hex) => {
    expect(decodeOffsetMetadata(Buffer.from(hex, 'hex').toString('base64'))).toEqual({
      partitionTimeMs: -1,
      processors: new Map(),
    })
  })
})
