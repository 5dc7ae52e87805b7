import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ScheduledPunctuator } from '../../src/task/punctuation-queue.ts'
import { PunctuationQueue } from '../../src/task/punctuation-queue.ts'

const every = (intervalMs: number, nextDueMs = 0): ScheduledPunctuator => ({
  node: 'node',
  type: 'streamTime',
  intervalMs,
  nextDueMs,
  isCancelled: false,
  callback: () => {},
})

describe('the queue of punctuators', () => {
  it('calls those that are due by their due times, each once, and keeps their phases', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 }), fc.nat(100), (all, now) => {
        const queue = new PunctuationQueue()
        for (const intervalMs of all) queue.add(every(intervalMs, intervalMs))
        const due: number[] = []
        const ran = queue.runDue(now, ({ nextDueMs }) => void due.push(nextDueMs))
        expect(due).toEqual(all.filter((interval) => interval <= now).toSorted((left, right) => left - right))
        expect(ran).toBe(due.length)
        const next = all.map((interval) => (Math.floor(now / interval) + 1) * interval)
        expect(queue.nextDueMs).toBe(Math.min(...next))
      }),
    )
  })

  it('lets no punctuator wait longer than its interval after the clock was set back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: -100, max: 100 }),
        (all, now) => {
          const queue = new PunctuationQueue()
          for (const intervalMs of all) queue.add(every(intervalMs, 100 + intervalMs))
          queue.steppedBack(now)
          expect(queue.nextDueMs).toBe(now + Math.min(...all))
          const called: number[] = []
          queue.runDue(now + 30, ({ intervalMs }) => void called.push(intervalMs))
          expect(called.toSorted((left, right) => left - right)).toEqual(
            all.toSorted((left, right) => left - right),
          )
        },
      ),
    )
  })

  it('calls what a punctuator schedules in the same pass, where it is due', () => {
    const queue = new PunctuationQueue()
    const calls: number[] = []
    queue.add(every(10))
    queue.runDue(12, ({ intervalMs }) => {
      calls.push(intervalMs)
      if (intervalMs === 10) for (const inner of [every(5), every(7, 13)]) queue.add(inner)
    })
    expect(calls).toEqual([10, 5])
  })

  it('forgets what was cancelled, also by itself', () => {
    const queue = new PunctuationQueue()
    const [first, second] = [every(10), every(10)]
    for (const each of [first, second]) queue.add(each)
    expect(
      queue.runDue(0, (punctuator) => {
        punctuator.isCancelled = true
        second.isCancelled = true
      }),
    ).toBe(1)
    expect(queue.nextDueMs).toBe(Infinity)
  })
})
