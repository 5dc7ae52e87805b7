import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexDecode, hexEncode } from '../../src/base/bytes.ts'
import { isFault } from '../../src/base/fault.ts'
import type { AnySerde } from '../../src/topic/serde.ts'
import { string } from '../../src/topic/serdes.ts'
import {
  combinedKeyPrefix,
  combinedKeySerde,
  instructions,
  subscriptionResponseSerde,
  subscriptionSerde,
} from '../../src/topic/subscription.ts'

const text = string as AnySerde
const subscription = subscriptionSerde(text)
const response = subscriptionResponseSerde(text)
const combinedKey = combinedKeySerde(text, text)

const write = (serde: AnySerde, value: unknown): string => hexEncode(serde.serialize(value as never))
const read = (serde: AnySerde, hex: string): unknown => {
  const bytes = hexDecode(hex)
  return serde.deserialize(bytes, 0, bytes.length)
}
const hash = hexDecode('0b0febd77be1ab372eb5cb8821e84f1e')
const faultCode = (action: () => unknown): string | undefined => {
  try {
    action()
    return undefined
  } catch (error) {
    return isFault(error) ? error.code : 'no fault'
  }
}

describe('the messages of a foreign-key join', () => {
  it('are those of Kafka Streams', () => {
    const question = { hash, instruction: instructions.answerIfFound, primaryKey: 'p1', primaryPartition: 0 }
    expect(write(subscription, question)).toBe('01030b0febd77be1ab372eb5cb8821e84f1e703100000000')
    const goodbye = {
      hash: null,
      instruction: instructions.forgetAndAnswer,
      primaryKey: 'p2',
      primaryPartition: 0,
    }
    expect(write(subscription, goodbye)).toBe('8101703200000000')
    expect(write(response, { hash, value: 'R1' })).toBe('000b0febd77be1ab372eb5cb8821e84f1e5231')
    expect(write(response, { hash: null, value: null })).toBe('80')
    expect(write(combinedKey, { foreignKey: 'f1', primaryKey: 'p1' })).toBe('0000000266317031')
  })

  it('come back as they were written, wherever they stand in a batch', () => {
    const hashes = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }), { nil: null })
    const questions = fc.record({
      hash: hashes,
      instruction: fc.constantFrom(0, 1, 2, 3),
      primaryKey: fc.string(),
      primaryPartition: fc.nat(),
    })
    fc.assert(
      fc.property(questions, fc.string({ minLength: 1 }), fc.nat(5), (question, value, offset) => {
        for (const [serde, message] of [
          [subscription, question],
          [response, { hash: question.hash, value }],
          [combinedKey, { foreignKey: value, primaryKey: question.primaryKey }],
        ] as const) {
          const bytes = serde.serialize(message as never)
          const batch = new Uint8Array(bytes.length + offset + 3)
          batch.set(bytes, offset)
          expect(serde.deserialize(batch, offset, offset + bytes.length)).toEqual(message)
        }
      }),
    )
  })

  it('keep those who ask for one foreign key side by side', () => {
    const prefix = hexEncode(combinedKeyPrefix(string.serialize('f1')))
    expect(write(combinedKey, { foreignKey: 'f1', primaryKey: 'p' }).startsWith(prefix)).toBe(true)
    expect(write(combinedKey, { foreignKey: 'f', primaryKey: '1p' }).startsWith(prefix)).toBe(false)
  })

  it('of another version, or cut short, are refused', () => {
    expect(faultCode(() => read(subscription, '02030b0febd77be1ab372eb5cb8821e84f1e703100000000'))).toBe(
      'FOREIGN_KEY_MESSAGE_VERSION',
    )
    expect(faultCode(() => read(response, '01'))).toBe('FOREIGN_KEY_MESSAGE_VERSION')
    expect(faultCode(() => read(subscription, '01030b0f'))).toBe('FOREIGN_KEY_MESSAGE_SHORT')
    expect(faultCode(() => read(response, '000b0f'))).toBe('FOREIGN_KEY_MESSAGE_SHORT')
    expect(faultCode(() => read(combinedKey, '000000096631'))).toBe('FOREIGN_KEY_MESSAGE_SHORT')
  })
})
