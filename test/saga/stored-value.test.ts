import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { utf8Decode } from '../../src/base/bytes.ts'
import { toStored, readStored } from '../../src/saga/stored-value.ts'
import { stateSerde } from '../../src/saga/state-serde.ts'
import type { SagaState } from '../../src/saga/state.ts'
import { deserializeAll } from '../../src/topic/serde.ts'
import { json } from '../../src/topic/json.ts'
import { bytes, long, string } from '../../src/topic/serdes.ts'
import { given, replies } from './trip.ts'

const stored = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('a value that a saga keeps', () => {
  it('is JSON that a person can read, where its topic writes JSON', () => {
    expect(toStored(json(z.object({ note: z.string() })), { note: 'room 7' })).toEqual({
      json: { note: 'room 7' },
    })
  })

  it('comes out as it went in, whatever the serde: dates, longs, text that looks like a number, raw bytes', () => {
    const date = json(
      z.codec(z.string(), z.date(), {
        decode: (text) => new Date(text),
        encode: (value) => value.toISOString(),
      }),
    )
    const throughStore = (serde: Parameters<typeof toStored>[0], value: unknown): unknown =>
      readStored(serde, stored(toStored(serde, value)) as never)
    expect(throughStore(date, new Date(0))).toEqual(new Date(0))
    expect(throughStore(long, 42)).toBe(42)
    expect(throughStore(string, '1.50')).toBe('1.50')
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        expect([...(throughStore(bytes, value) as Uint8Array)]).toEqual([...value])
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(throughStore(string, value)).toBe(value)
      }),
    )
  })
})

describe('the state of a saga in its store', () => {
  const serde = stateSerde('trip')
  const { state } = given(replies.booked, replies.seat, replies.notPaid)

  it('comes out as it went in', () => {
    expect(deserializeAll(serde, serde.serialize(state as SagaState))).toEqual(state)
  })

  it('is JSON that a person can read', () => {
    expect(JSON.parse(utf8Decode(serde.serialize(state as SagaState)))).toMatchObject({
      sagaId: 'trip-1',
      status: 'COMPENSATING',
      start: { json: { guest: 'Ada' } },
      replies: { 'hotel-booked': { json: { note: 'room 7' } } },
    })
  })
})
