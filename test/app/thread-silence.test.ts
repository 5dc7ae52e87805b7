import { beforeEach, describe, expect, it } from 'vitest'
import { ThreadSilence } from '../../src/app/thread-silence.ts'
import type { Clock } from '../../src/base/clock.ts'
import { ManualClock } from '../../src/base/manual-clock.ts'

describe('a worker thread that sends nothing', () => {
  let clock: ManualClock
  let warnings: string[]
  let silence: ThreadSilence
  const pass = (durationMs: number): void => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 500) clock.advance(500)
  }
  beforeEach(() => {
    clock = new ManualClock(0)
    warnings = []
    silence = new ThreadSilence({ name: 'p-1', clock, onWarning: (message) => void warnings.push(message) })
  })

  it('is reported once, and when it answers again', () => {
    silence.heard(true)
    pass(9_500)
    expect(warnings).toEqual([])
    pass(20_500)
    expect(warnings).toEqual([
      expect.stringMatching(/^worker thread p-1 has not answered for 10000 ms: synchronous work blocks it/),
    ])
    silence.heard(true)
    expect(warnings[1]).toBe('worker thread p-1 answers again after 30000 ms')
    pass(9_000)
    expect(warnings).toHaveLength(2)
  })

  it('is reported where it does not start', () => {
    silence.heard(false)
    pass(29_500)
    expect(warnings).toEqual([])
    pass(500)
    expect(warnings).toEqual([expect.stringMatching(/^worker thread p-1 has not started within 30000 ms/)])
  })

  it('is not reported where the main thread was blocked, or after its end', () => {
    silence.close()
    let nowMs = 0
    let fire = (): void => {}
    const stalling: Clock = {
      now: () => nowMs,
      monotonicMs: () => nowMs,
      setTimer: (callback) => {
        fire = callback
        return () => void (fire = () => {})
      },
    }
    const onWarning = (message: string): void => void warnings.push(message)
    silence = new ThreadSilence({ name: 'p-1', clock: stalling, onWarning })
    silence.heard(true)
    nowMs = 60_000
    fire()
    expect(warnings).toEqual([])
    silence.close()
    nowMs = 61_000
    fire()
    pass(60_000)
    expect(warnings).toEqual([])
  })
})
