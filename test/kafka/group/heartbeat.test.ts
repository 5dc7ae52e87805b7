import { expect, it } from 'vitest'
import { ManualClock } from '../../../src/base/manual-clock.ts'
import { Heartbeat } from '../../../src/kafka/group/heartbeat.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const advance = async (clock: ManualClock, durationMs: number): Promise<void> => {
  for (let ms = 0; ms < durationMs; ms += 100) {
    clock.advance(100)
    await settled()
  }
}

const beating = (beat: () => Promise<number>) => {
  const clock = new ManualClock(1_000_000)
  const silences: number[] = []
  const heartbeat = new Heartbeat({
    clock,
    intervalMs: 1_000,
    sessionTimeoutMs: 3_000,
    beat,
    onErrorCode: () => undefined,
    onFailure: () => undefined,
    onSilence: () => {
      silences.push(clock.monotonicMs())
      heartbeat.stop()
    },
  })
  heartbeat.start()
  return { clock, silences }
}

it('a heartbeat without an answer is noticed when the session ends, however long its request waits', async () => {
  let beats = 0
  const { clock, silences } = beating(() =>
    ++beats === 1 ? Promise.resolve(0) : Promise.withResolvers<number>().promise,
  )
  await advance(clock, 6_000)
  expect(silences).toEqual([4_001])
})

it('a step of the clock ends no session', async () => {
  const { clock, silences } = beating(() => Promise.resolve(0))
  for (const byMs of [3_600_000, -7_200_000, 30_000, -30_000]) {
    clock.stepWallClock(byMs)
    await advance(clock, 3_000)
  }
  expect(silences).toEqual([])
})
