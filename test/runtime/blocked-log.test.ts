import { expect, it } from 'vitest'
import { minutes } from '../../src/base/duration.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'
import { BlockedLog } from '../../src/runtime/blocked-log.ts'

it('a node that blocks is reported at once, and then once a minute with the number in between', () => {
  const clock = new ManualClock()
  const warnings: string[] = []
  const log = new BlockedLog({ clock, onWarning: (message) => void warnings.push(message) })
  const block = (node: string): void => {
    log.note('0_1', { durationMs: 1_500, longest: { node, durationMs: 1_400 }, origin: undefined })
  }
  for (let time = 0; time < 5; time++) block('map-0001')
  block('map-0002')
  expect(warnings.splice(0)).toEqual([
    expect.stringMatching(/^node map-0001 blocked the thread for 1400 ms; heartbeats/),
    expect.stringMatching(/^node map-0002 blocked/),
  ])
  clock.advance(minutes(1))
  block('map-0001')
  expect(warnings).toEqual([expect.stringMatching(/^node map-0001 .*; 4 more since the last warning; /)])
})
