import type { Bytes } from '../base/bytes.ts'

/**
 * The 128-bit murmur3 by which a foreign-key join checks whether an answer belongs to the current left row, as Kafka
 * Streams computes it (the x64 variant, seed 104729). JavaScript has no fast 64-bit integers, so each is two halves:
 * `H` the upper and `L` the lower 32 bits.
 */
export const murmur3 = (data: Bytes): Bytes => {
  const first = new Half(seed)
  const second = new Half(seed)
  const wholeBlocks = data.length - (data.length % 16)
  for (let start = 0; start < wholeBlocks; start += 16) {
    first.mix(wordAt(data, start + 4), wordAt(data, start), firstRound)
    first.spread(second, 27, 0x52dce729)
    second.mix(wordAt(data, start + 12), wordAt(data, start + 8), secondRound)
    second.spread(first, 31, 0x38495ab5)
  }
  // What is left counts as if zeros followed it.
  if (data.length - wholeBlocks > 8)
    second.mix(wordAt(data, wholeBlocks + 12), wordAt(data, wholeBlocks + 8), secondRound)
  if (data.length > wholeBlocks)
    first.mix(wordAt(data, wholeBlocks + 4), wordAt(data, wholeBlocks), firstRound)
  return finish(data.length, first, second)
}

/** Four bytes, little endian; beyond the end there are zeros. */
const wordAt = (data: Bytes, start: number): number =>
  start + 4 <= data.length
    ? (data[start] as number) |
      ((data[start + 1] as number) << 8) |
      ((data[start + 2] as number) << 16) |
      ((data[start + 3] as number) << 24)
    : (data[start] ?? 0) | ((data[start + 1] ?? 0) << 8) | ((data[start + 2] ?? 0) << 16)

const seed = 104729

interface Round {
  readonly factorH: number
  readonly factorL: number
  readonly rotation: number
  readonly nextH: number
  readonly nextL: number
}

const c1 = { h: 0x87c37b91, l: 0x114253d5 }
const c2 = { h: 0x4cf5ad43, l: 0x2745937f }
const firstRound: Round = { factorH: c1.h, factorL: c1.l, rotation: 31, nextH: c2.h, nextL: c2.l }
const secondRound: Round = { factorH: c2.h, factorL: c2.l, rotation: 33, nextH: c1.h, nextL: c1.l }

/** One of the two 64-bit halves of the hash, and the arithmetic on it. */
class Half {
  h = 0
  l: number

  constructor(value: number) {
    this.l = value
  }

  /** Takes up one 64-bit word of the data. */
  mix(wordH: number, wordL: number, { factorH, factorL, rotation, nextH, nextL }: Round): void {
    word.h = wordH >>> 0
    word.l = wordL >>> 0
    word.multiply(factorH, factorL)
    word.rotate(rotation)
    word.multiply(nextH, nextL)
    this.h = (this.h ^ word.h) >>> 0
    this.l = (this.l ^ word.l) >>> 0
  }

  spread(other: Half, rotation: number, constant: number): void {
    this.rotate(rotation)
    this.add(other.h, other.l)
    this.multiply(0, 5)
    this.add(0, constant)
  }

  add(h: number, l: number): void {
    const low = this.l + l
    this.h = (this.h + h + (low > 0xffffffff ? 1 : 0)) >>> 0
    this.l = low >>> 0
  }

  multiply(h: number, l: number): void {
    const high = Math.imul(this.h, l) + Math.imul(this.l, h) + upperOfProduct(this.l, l)
    this.l = Math.imul(this.l, l) >>> 0
    this.h = high >>> 0
  }

  rotate(bits: number): void {
    const by = bits & 31
    const h = bits >= 32 ? this.l : this.h
    const l = bits >= 32 ? this.h : this.l
    this.h = ((h << by) | (l >>> (32 - by))) >>> 0
    this.l = ((l << by) | (h >>> (32 - by))) >>> 0
  }

  /** Lets every bit have its effect on every other. */
  avalanche(): void {
    this.l = (this.l ^ (this.h >>> 1)) >>> 0
    this.multiply(0xff51afd7, 0xed558ccd)
    this.l = (this.l ^ (this.h >>> 1)) >>> 0
    this.multiply(0xc4ceb9fe, 0x1a85ec53)
    this.l = (this.l ^ (this.h >>> 1)) >>> 0
  }
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
const upperOfProduct = (left: number, right: number): number => {
  const leftHigh = left >>> 16
  const leftLow = left & 0xffff
  const rightHigh = right >>> 16
  const rightLow = right & 0xffff
  const low = leftLow * rightLow
  const middle = leftHigh * rightLow + (low >>> 16)
  const other = leftLow * rightHigh + (middle % 0x10000)
  return leftHigh * rightHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)
}

/** The word being mixed in: one for all, as nothing here calls itself. */
const word = new Half(0)

const finish = (length: number, first: Half, second: Half): Bytes => {
  first.l = (first.l ^ length) >>> 0
  second.l = (second.l ^ length) >>> 0
  first.add(second.h, second.l)
  second.add(first.h, first.l)
  first.avalanche()
  second.avalanche()
  first.add(second.h, second.l)
  second.add(first.h, first.l)
  const result = new Uint8Array(16)
  writeWord(result, 0, first.h)
  writeWord(result, 4, first.l)
  writeWord(result, 8, second.h)
  writeWord(result, 12, second.l)
  return result
}

/** Four bytes, big endian. */
const writeWord = (target: Bytes, start: number, value: number): void => {
  target[start] = value >>> 24
  target[start + 1] = value >>> 16
  target[start + 2] = value >>> 8
  target[start + 3] = value
}
