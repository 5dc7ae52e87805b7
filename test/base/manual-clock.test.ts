import { expect, it } from 'vitest'
import { ManualClock } from '../../src/base/manual-clock.ts'

it('a manual clock advances both times together', () => {
  const clock = new ManualClock(1_000)
  const begunMs = clock.monotonicMs()
  clock.advance(25)
  expect(clock.now()).toBe(1_025)
  expect(clock.monotonicMs() - begunMs).toBe(25)
})

it('a step of its time of day moves no timer and no duration', () => {
  const clock = new ManualClock(10_000_000)
  const begunMs = clock.monotonicMs()
  let fired = 0
  clock.setTimer(() => fired++, 10)
  clock.stepWallClock(3_600_000)
  clock.advance(9)
  expect([clock.now(), fired]).toEqual([13_600_009, 0])
  clock.stepWallClock(-7_200_000)
  clock.advance(1)
  expect([clock.now(), fired]).toEqual([6_400_010, 1])
  expect(clock.monotonicMs() - begunMs).toBe(10)
})

it.each([NaN, Infinity, -Infinity, 1.5, '5', undefined])('a manual clock refuses %s as a time', (value) => {
  const clock = new ManualClock(5)
  const refusal = expect.objectContaining({ code: 'ARGUMENT_INVALID' })
  expect(() => clock.advance(value as number)).toThrow(refusal)
  expect(() => clock.stepWallClock(value as number)).toThrow(refusal)
  if (value !== undefined) expect(() => new ManualClock(value as number)).toThrow(refusal)
  expect(() => clock.advance(-1)).toThrow(refusal)
  expect([clock.now(), clock.monotonicMs()]).toEqual([5, 0])
})
