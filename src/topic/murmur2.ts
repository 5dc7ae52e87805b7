import type { Bytes } from '../base/bytes.ts'

/**
 * The 32-bit murmur2 hash as Kafka's Java clients compute it (`org.apache.kafka.common.utils.Utils.murmur2`, after
 * Austin Appleby's MurmurHash 2.0, seed 0x9747b28c), over `source` from `start` up to `end`. Signed.
 */
export const murmur2 = (source: Bytes, start = 0, end: number = source.length): number => {
  const length = end - start
  let hash = 0x9747b28c ^ length
  let index = start
  for (const last = end - 3; index < last; index += 4) {
    let word =
      (source[index] as number) |
      ((source[index + 1] as number) << 8) |
      ((source[index + 2] as number) << 16) |
      ((source[index + 3] as number) << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  const rest = end - index
  if (rest >= 3) hash ^= (source[index + 2] as number) << 16
  if (rest >= 2) hash ^= (source[index + 1] as number) << 8
  if (rest >= 1) hash = Math.imul(hash ^ (source[index] as number), multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

const multiplier = 0x5bd1e995

/** The partition Java's default partitioner gives a key. */
export const partitionForKey = (
  key: Bytes,
  partitionCount: number,
  start = 0,
  end: number = key.length,
): number => (partitionCount === 1 ? 0 : (murmur2(key, start, end) & 0x7fffffff) % partitionCount)
