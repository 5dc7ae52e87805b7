import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/base/manual-clock.ts'
import { SettlingPause } from '../../../src/kafka/transaction/settling-pause.ts'

/** Uniform numbers from a seed: the same in every run. */
const randomFrom = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

describe('the pause between two transactions', () => {
  it('is over at once where no transaction has ended', async () => {
    const pause = new SettlingPause(new ManualClock(1_000))
    await expect(pause.over()).resolves.toBeUndefined()
  })

  it('lasts from the end of a transaction, whatever went by since', async () => {
    const clock = new ManualClock(1_000)
    const pause = new SettlingPause(clock)
    pause.begin()
    let over = false
    const waiting = pause.over().then(() => (over = true))
    clock.advance(pause.lengthMs - 1)
    await Promise.resolve()
    expect(over).toBe(false)
    clock.advance(1)
    await waiting
    pause.begin()
    clock.advance(pause.lengthMs)
    await expect(pause.over()).resolves.toBeUndefined()
  })

  it.each([2, 5, 9])(
    'grows until markers that take %i ms and more are written in it, all but a few',
    (shortest) => {
      const pause = new SettlingPause(new ManualClock(0))
      const random = randomFrom(shortest)
      let delayed = 0
      for (let transaction = 0; transaction < 20_000; transaction++) {
        const markersMs = shortest - Math.log(1 - random()) / 4
        const isDelayed = markersMs > pause.lengthMs
        if (transaction >= 10_000 && isDelayed) delayed++
        pause.answered(isDelayed ? 21 : 1)
      }
      expect(delayed / 10_000).toBeGreaterThan(0.001)
      expect(delayed / 10_000).toBeLessThan(0.01)
      expect(pause.lengthMs).toBeGreaterThan(shortest)
    },
  )

  it('stays short where every request is slow', () => {
    const pause = new SettlingPause(new ManualClock(0))
    for (let transaction = 0; transaction < 1_000; transaction++) pause.answered(500)
    expect(pause.lengthMs).toBeLessThan(20)
  })
})
