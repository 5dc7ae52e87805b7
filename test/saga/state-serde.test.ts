import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { utf8Decode } from '../../src/base/bytes.ts'
import { saga } from '../../src/saga/saga.ts'
import { stateSerde } from '../../src/saga/state-serde.ts'
import { succeeds } from '../../src/saga/step.ts'
import { deserializeAll } from '../../src/topic/serde.ts'
import { bytes, long } from '../../src/topic/serdes.ts'
import { topic } from '../../src/topic/topic.ts'
import { given, replies, trip } from './trip.ts'

describe('the state of a saga in its store', () => {
  it('comes out as it went in', () => {
    const { state } = given(replies.booked, replies.seat, replies.notPaid)
    const serde = stateSerde(trip)
    expect(deserializeAll(serde, serde.serialize(state as never))).toEqual(state)
  })

  it('is JSON that a person can read', () => {
    const { state } = given(replies.booked)
    const text = JSON.parse(utf8Decode(stateSerde(trip).serialize(state as never))) as Record<string, unknown>
    expect(text).toMatchObject({
      sagaId: 'trip-1',
      status: 'RUNNING',
      start: { json: { guest: 'Ada' } },
      replies: { 'hotel-booked': { json: { note: 'room 7' } } },
    })
  })

  it('keeps whatever the serdes of its topics can carry: dates, longs, raw bytes', () => {
    const started = topic('started', {
      value: z.codec(z.string(), z.date(), {
        decode: (text) => new Date(text),
        encode: (date) => date.toISOString(),
      }),
    })
    const counted = topic('counted', { value: long })
    const raw = topic('raw', { value: bytes })
    const odd = saga('odd', {
      startedBy: started,
      timeout: 1,
      steps: (step) => ({
        count: step({
          kind: 'retriable',
          command: { to: counted, value: () => 1 },
          replies: { raw: succeeds(raw) },
        }),
      }),
    })
    const state = {
      sagaId: 'odd-1',
      status: 'RUNNING' as const,
      start: new Date(0),
      startedAtMs: 0,
      steps: [],
      replies: { raw: Uint8Array.of(0xff, 0, 1) },
      failure: null,
      told: null,
    }
    const serde = stateSerde(odd)
    expect(deserializeAll(serde, serde.serialize(state))).toEqual(state)
  })

  it('lets go of replies on topics the saga no longer reads', () => {
    const { state } = given(replies.booked)
    const text = utf8Decode(stateSerde(trip).serialize(state as never)).replace('hotel-booked', 'hotel-gone')
    const read = deserializeAll(stateSerde(trip), new TextEncoder().encode(text))
    expect(read.replies).toEqual({})
    expect(read.steps).toEqual(state?.steps)
  })
})
