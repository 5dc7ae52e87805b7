import { expect, it } from 'vitest'
import { systemClock } from '../../src/base/system-clock.ts'

it('an alarm of the system clock does not ring before the clock says that it is time', async () => {
  const early: number[] = []
  const rings = Array.from(
    { length: 400 },
    (_, index) =>
      new Promise<void>((resolve) => {
        const begin = (): void => {
          const delayMs = 1 + (index % 40)
          const dueMs = systemClock.monotonicMs() + delayMs
          systemClock.setTimer(() => {
            if (systemClock.monotonicMs() < dueMs) early.push(delayMs)
            resolve()
          }, delayMs)
        }
        setTimeout(begin, index % 17)
      }),
  )
  await Promise.all(rings)
  expect(early).toEqual([])
})

it('an alarm that is further away than a timer of Node reaches does not ring at once', async () => {
  let rang = false
  const cancel = systemClock.setTimer(() => (rang = true), 2 ** 31 + 5)
  await new Promise((resolve) => setTimeout(resolve, 20))
  cancel()
  expect(rang).toBe(false)
})

it('a cancelled alarm does not ring', async () => {
  let rang = false
  const cancel = systemClock.setTimer(() => (rang = true), 2)
  cancel()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(rang).toBe(false)
})
