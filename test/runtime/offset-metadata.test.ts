import { describe, expect, it } from 'vitest'
import {
  decodeOffsetMetadata,
  decodeProcessorMetadata,
  encodeOffsetMetadata,
} from '../../src/runtime/offset-metadata.ts'

// Committed by Kafka Streams 4.3.1: without and with the number of an operator that emits on window close.
const plain = 'AgAAAaH7025q'
const withNumbers = 'AgAAAaH7025rAAAAAQAAAAVmaW5hbAAAAaH7025i'

describe('the metadata beside an offset', () => {
  it('is what Kafka Streams writes', () => {
    expect(encodeOffsetMetadata(1795226300010)).toBe(plain)
    expect(encodeOffsetMetadata(1795226300011, new Map([['final', 1795226300002]]))).toBe(withNumbers)
  })

  it('gives the time and the numbers back', () => {
    expect(decodeOffsetMetadata(withNumbers)).toBe(1795226300011)
    expect(decodeProcessorMetadata(withNumbers)).toEqual(new Map([['final', 1795226300002]]))
    expect(decodeProcessorMetadata(plain)).toEqual(new Map())
  })

  it('means nothing known where it is empty or of another kind', () => {
    expect(decodeOffsetMetadata(null)).toBe(-1)
    expect(decodeOffsetMetadata('hello')).toBe(-1)
    expect(decodeProcessorMetadata('')).toEqual(new Map())
  })
})
