import * as fc from 'fast-check'
import type { Bytes } from '../../../src/base/bytes.ts'
import { joinBytes } from '../../../src/base/bytes.ts'

/** Bytes as a broken or hostile peer sends them: a valid message, changed here and there, or no message at all. */
export const hostileBytes = (valid: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.tuple(valid, fc.array(mutation, { minLength: 1, maxLength: 3 })).map(mutate) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  )

type Mutation = (bytes: Bytes) => Bytes

const mutate = ([bytes, mutations]: [Bytes, readonly Mutation[]]): Bytes =>
  mutations.reduce((changed, change) => change(changed), bytes)

/** Lengths and counts that are too large, negative, or end nowhere. */
const lies: readonly Bytes[] = [
  '7fffffff',
  'ffffffff',
  '80000000',
  '7fff',
  'ffff',
  '00',
  'ffffffff0f',
  'ffffffff07',
  '8080808008',
  'ffffffffffffffffff',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))

const position = fc.nat({ max: 1_000_000 })

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  position.map(
    (at): Mutation =>
      (bytes) =>
        bytes.slice(0, at % (bytes.length + 1)),
  ),
  fc.tuple(position, fc.integer({ min: 1, max: 255 })).map(
    ([at, mask]): Mutation =>
      (bytes) =>
        bytes.map((byte, index) => (index === at % bytes.length ? byte ^ mask : byte)),
  ),
  fc
    .tuple(position, fc.constantFrom(...lies), fc.boolean())
    .map(([where, lie, replaces]): Mutation => (bytes) => {
      const at = where % (bytes.length + 1)
      return joinBytes([bytes.slice(0, at), lie, bytes.slice(at + (replaces ? lie.length : 0))])
    }),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(
    (tail): Mutation =>
      (bytes) =>
        joinBytes([bytes, tail]),
  ),
)
