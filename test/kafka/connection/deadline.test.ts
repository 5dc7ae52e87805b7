import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/base/manual-clock.ts'
import { Deadline } from '../../../src/kafka/connection/deadline.ts'

/** Work that is begun and ends, and a count of how often the deadline has passed. */
const deadlines = () => {
  const clock = new ManualClock(1_000)
  const due = new Set<number>()
  const state = { over: 0 }
  const deadline = new Deadline(
    clock,
    () => Math.min(...due),
    () => state.over++,
  )
  const begin = (delayMs: number): (() => void) => {
    const dueMs = deadline.in(delayMs)
    due.add(dueMs)
    return () => due.delete(dueMs)
  }
  return { clock, deadline, begin, state }
}

describe('the deadline of many requests', () => {
  it('passes for the first that is not answered in time, and not before', () => {
    const { clock, begin, state } = deadlines()
    begin(30)()
    clock.advance(20)
    begin(30)
    clock.advance(29)
    expect(state.over).toBe(0)
    clock.advance(1)
    expect(state.over).toBe(1)
  })

  it('passes earlier for a later request with less time', () => {
    const { clock, begin, state } = deadlines()
    begin(1_000)
    clock.advance(10)
    begin(50)
    clock.advance(50)
    expect(state.over).toBe(1)
  })

  it('never passes where every request is answered, and begins again after a quiet time', () => {
    const { clock, begin, state } = deadlines()
    for (let request = 0; request < 100; request++) {
      const answered = begin(30)
      clock.advance(29)
      answered()
    }
    clock.advance(1_000)
    expect(state.over).toBe(0)
    begin(30)
    clock.advance(30)
    expect(state.over).toBe(1)
  })

  it('does not pass once it is cancelled', () => {
    const { clock, deadline, begin, state } = deadlines()
    begin(30)
    deadline.cancel()
    clock.advance(1_000)
    expect(state.over).toBe(0)
  })
})
