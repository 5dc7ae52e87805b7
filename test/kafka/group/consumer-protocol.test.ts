import * as fc from 'fast-check'
import { AssignerProtocol } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/kafka/group/consumer-protocol.ts'

const text = fc.string({ minLength: 1, maxLength: 20, unit: 'binary' })
const bytes = fc.option(fc.uint8Array({ maxLength: 50 }))
const partitions = fc
  .uniqueArray(fc.record({ topic: text, partition: fc.nat(1_000) }), {
    selector: ({ topic, partition }) => `${partition} ${topic}`,
  })
  .map((all) =>
    all.toSorted((left, right) => (left.topic < right.topic ? -1 : left.topic > right.topic ? 1 : 0)),
  )

describe('the consumer protocol', () => {
  it('reads a subscription as it was written', () => {
    const subscription = fc.record({
      topics: fc.array(text),
      userData: bytes,
      ownedPartitions: partitions,
      generationId: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
    })
    fc.assert(
      fc.property(subscription, (each) => {
        expect(decodeSubscription(encodeSubscription(each))).toEqual(each)
      }),
    )
  })

  it('reads an assignment as it was written', () => {
    const assignment = fc.record({ partitions, userData: bytes })
    fc.assert(
      fc.property(assignment, (each) => {
        expect(decodeAssignment(encodeAssignment(each))).toEqual(each)
      }),
    )
  })

  it.each([
    ['of more topics than its bytes hold', '00037fffffff'],
    ['that owns more than its bytes hold', '000300000000ffffffff7fffffff'],
    ['that ends in the middle of a topic', '0003000000010005616263'],
  ])('refuses a subscription %s, at once', (_, hex) => {
    expect(() => decodeSubscription(Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ code: 'BYTES_MALFORMED' }),
    )
  })

  it.each([
    ['of more topics than its bytes hold', '00007fffffff'],
    ['of a topic with more partitions than its bytes hold', '0000000000010001617fffffff'],
    ['of fewer bytes than its version', '00'],
  ])('refuses an assignment %s, at once', (_, hex) => {
    expect(() => decodeAssignment(Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ code: 'BYTES_MALFORMED' }),
    )
  })

  it('takes no bytes for no partitions', () => {
    expect(decodeAssignment(new Uint8Array())).toEqual({ partitions: [], userData: null })
  })

  it('is the one that kafkajs speaks', () => {
    const userData = Buffer.from('data')
    const theirs = AssignerProtocol.MemberMetadata.encode({ version: 0, topics: ['t', 'u'], userData })
    expect(decodeSubscription(theirs)).toEqual({
      topics: ['t', 'u'],
      userData: new Uint8Array(userData),
      ownedPartitions: [],
      generationId: -1,
    })
    const assigned = [0, 2].map((partition) => ({ topic: 't', partition }))
    const ours = Buffer.from(encodeAssignment({ partitions: assigned, userData: new Uint8Array(userData) }))
    expect(AssignerProtocol.MemberAssignment.decode(ours)).toMatchObject({
      assignment: { t: [0, 2] },
      userData,
    })
  })
})
