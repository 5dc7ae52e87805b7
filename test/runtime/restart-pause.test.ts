import { expect, it } from 'vitest'
import { RestartPause } from '../../src/runtime/restart-pause.ts'

it('the pause before records are processed again doubles up to half a minute, until something is committed', () => {
  const pause = new RestartPause()
  const pauses = Array.from({ length: 12 }, () => pause.next())
  expect(pauses.map(({ pauseMs }) => pauseMs)).toEqual([
    0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
  ])
  expect(pauses.at(-1)?.restarts).toBe(12)
  pause.reset()
  expect(pause.next()).toEqual({ restarts: 1, pauseMs: 0 })
})
