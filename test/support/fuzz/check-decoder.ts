import * as fc from 'fast-check'
import type { Bytes } from '../../../src/base/bytes.ts'
import type { Decoder } from './decoders.ts'
import { hostileBytes } from './hostile-bytes.ts'
import { AssertionError } from './row-decoders.ts'

/** What one call of a decoder may take, for messages of some hundred bytes. */
export interface DecoderBounds {
  readonly timeMs: number
  readonly memoryBytes: number
}

/** What the worst call took. */
export interface WorstCall {
  timeMs: number
  memoryBytes: number
}

export interface DecoderRuns {
  readonly runs: number
  readonly seed: number
  readonly bounds: DecoderBounds
}

/**
 * Feeds a decoder valid, broken and lying messages: each call returns or throws an error, within its time and memory. A
 * failure of the property prints the seed and the smallest message that shows it.
 */
export const checkDecoder = (decoder: Decoder, { runs, seed, bounds }: DecoderRuns): WorstCall => {
  const worst: WorstCall = { timeMs: 0, memoryBytes: 0 }
  fc.assert(
    fc.property(hostileBytes(decoder.valid), (bytes) => {
      const call = measured(decoder, bytes, bounds)
      worst.timeMs = Math.max(worst.timeMs, call.timeMs)
      worst.memoryBytes = Math.max(worst.memoryBytes, call.memoryBytes)
      if (call.timeMs > bounds.timeMs || call.memoryBytes > bounds.memoryBytes)
        throw new Error(`${decoder.name} took ${call.timeMs} ms and ${call.memoryBytes} bytes`)
    }),
    { numRuns: runs, seed },
  )
  return worst
}

/** A machine that is busy may take its time once, and not three times in a row. */
const measured = (decoder: Decoder, bytes: Bytes, bounds: DecoderBounds): WorstCall => {
  let best = measuredOnce(decoder, bytes)
  for (let retry = 0; retry < 2 && best.timeMs > bounds.timeMs; retry++) best = measuredOnce(decoder, bytes)
  return best
}

const measuredOnce = (decoder: Decoder, bytes: Bytes): WorstCall => {
  const before = usedBytes()
  const startMs = performance.now()
  decodeOrThrow(decoder, bytes)
  return { timeMs: performance.now() - startMs, memoryBytes: usedBytes() - before }
}

const decodeOrThrow = (decoder: Decoder, bytes: Bytes): void => {
  try {
    decoder.decode(bytes)
  } catch (error) {
    const isDefect = error instanceof AssertionError || !(error instanceof Error) || isOverflow(error)
    if (isDefect) throw error
  }
}

/** An overflow of the stack, or a length that no array can have, was believed before it was checked. */
const isOverflow = ({ message }: Error): boolean =>
  /Maximum call stack|Invalid (?:typed )?array (?:buffer )?length|Array buffer allocation/.test(message)

const usedBytes = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
