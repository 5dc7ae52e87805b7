import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Timers } from '../../src/saga/timers.ts'

describe('timers', () => {
  it('hand out what is due, earliest first, and once', () => {
    const timers = new Timers()
    timers.set('late', 30)
    timers.set('early', 10)
    timers.set('middle', 20)
    expect(timers.take(20)).toEqual(['early', 'middle'])
    expect(timers.take(20)).toEqual([])
    expect(timers.take(30)).toEqual(['late'])
  })

  it('go by the last time that was set, and forget what was let go', () => {
    const timers = new Timers()
    timers.set('a', 10)
    timers.set('a', 50)
    timers.set('b', 10)
    timers.set('b', null)
    expect(timers.take(49)).toEqual([])
    expect(timers.take(50)).toEqual(['a'])
  })

  it('agree with a plain map under any changes', () => {
    const change = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      due: fc.option(fc.nat(50)),
      now: fc.nat(50),
    })
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const timers = new Timers()
        const model = new Map<string, number>()
        for (const { id, due, now } of changes) {
          timers.set(id, due)
          if (due === null) model.delete(id)
          else model.set(id, due)
          const expected = [...model].filter(([, dueMs]) => dueMs <= now)
          for (const [each] of expected) model.delete(each)
          const taken = timers.take(now)
          expect([...taken].sort()).toEqual(expected.map(([each]) => each).sort())
          const times = taken.map((each) => expected.find(([known]) => known === each)?.[1] ?? 0)
          expect(times).toEqual(times.toSorted((left, right) => left - right))
        }
      }),
    )
  })
})
